using System.Security.Cryptography;

namespace OpenWop.Micro.Secrets;

/// <summary>
/// Digests for a database, of what somebody might guess: without the key, which is not in the database, no guess can be tried.
/// </summary>
/// <remarks>A digest: format (1 byte), id of the key (8), HMAC-SHA-256 (32). A former key goes on to be good for what was made with it.</remarks>
public sealed class KeyedDigest(SealingKeys keys)
{
    /// <summary>Bytes of a digest.</summary>
    public const int Size = MacStart + SealingKey.DigestSize;

    private const byte Format = 1;
    private const int MacStart = 1 + SealingKey.IdSize;

    /// <summary>The digest of data under the current key.</summary>
    public byte[] Of(ReadOnlySpan<byte> data)
    {
        var digest = new byte[Size];
        digest[0] = Format;
        keys.Current.Id.CopyTo(digest, 1);
        keys.Current.Digest(data, digest.AsSpan(MacStart));
        return digest;
    }

    /// <summary>Whether a digest is one of the data; false as well when its key is not among the configured ones. In constant time.</summary>
    public bool Matches(ReadOnlySpan<byte> digest, ReadOnlySpan<byte> data)
    {
        if (digest.Length != Size || digest[0] != Format || keys.Find(digest[1..MacStart]) is not { } key)
            return false;

        Span<byte> expected = stackalloc byte[SealingKey.DigestSize];
        key.Digest(data, expected);
        return CryptographicOperations.FixedTimeEquals(digest[MacStart..], expected);
    }

    /// <summary>Random bytes that can be kept in a database, and from which <see cref="Blind"/> makes a value that nobody finds there.</summary>
    public byte[] NewSeed()
    {
        var seed = new byte[Size];
        seed[0] = Format;
        keys.Current.Id.CopyTo(seed, 1);
        RandomNumberGenerator.Fill(seed.AsSpan(MacStart));
        return seed;
    }

    /// <summary>32 bytes that follow from a seed and the key it was made under.</summary>
    public byte[] Blind(ReadOnlySpan<byte> seed)
    {
        var blinded = new byte[SealingKey.DigestSize];
        (keys.Find(seed[1..MacStart]) ?? keys.Current).Digest(seed, blinded);
        return blinded;
    }
}
