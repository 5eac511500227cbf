using System.Security.Cryptography;

namespace OpenWop.Micro.Secrets;

/// <summary>One key that keys of secrets are sealed with, known by an id that tells nothing about it.</summary>
internal sealed class SealingKey
{
    public const int Size = 32;
    public const int IdSize = 8;

    private readonly byte[] _key;
    private readonly byte[] _digestKey;

    /// <param name="master">32 bytes. Each purpose gets a key of its own, so that services can share one setting.</param>
    public SealingKey(byte[] master, string purpose)
    {
        _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, master, Size, info: System.Text.Encoding.UTF8.GetBytes("seal " + purpose));
        _digestKey = HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, Size, info: "digest"u8.ToArray());
        Id = HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, IdSize, info: "key id"u8.ToArray());
    }

    /// <summary>8 bytes.</summary>
    public byte[] Id { get; }

    public const int DigestSize = HMACSHA256.HashSizeInBytes;

    /// <summary>HMAC-SHA-256 under a key that seals nothing.</summary>
    public void Digest(ReadOnlySpan<byte> data, Span<byte> digest) => HMACSHA256.HashData(_digestKey, data, digest);

    public AesGcm Open() => new(_key, AesGcm.TagByteSizes.MaxSize);
}
