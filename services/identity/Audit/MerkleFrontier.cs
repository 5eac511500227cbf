using System.Security.Cryptography;

namespace OpenWop.Micro.Identity.Audit;

/// <summary>
/// A Merkle tree that only grows (the tree of RFC 6962, SHA-256), held as the roots of its complete subtrees, the largest first: adding
/// a leaf and telling the root cost a logarithm of what was added before.
/// </summary>
internal sealed class MerkleFrontier
{
    private const int HashSize = SHA256.HashSizeInBytes;

    private readonly List<byte[]> _subtrees = [];

    public MerkleFrontier()
    {
    }

    private MerkleFrontier(long count, List<byte[]> subtrees)
    {
        Count = count;
        _subtrees = subtrees;
    }

    /// <summary>Leaves so far.</summary>
    public long Count { get; private set; }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <exception cref="FormatException">It is not what a frontier of so many leaves looks like.</exception>
    public static MerkleFrontier Parse(long count, ReadOnlySpan<byte> bytes)
    {
        if (count < 0 || bytes.Length != System.Numerics.BitOperations.PopCount((ulong)count) * HashSize)
            throw new FormatException("The frontier does not fit the number of leaves.");

        var subtrees = new List<byte[]>();
        for (var at = 0; at < bytes.Length; at += HashSize)
            subtrees.Add(bytes.Slice(at, HashSize).ToArray());
        return new(count, subtrees);
    }

    public void Add(ReadOnlySpan<byte> leaf)
    {
        var hash = Hash(0, leaf, default);
        for (var size = Count; (size & 1) == 1; size >>= 1)
        {
            hash = Hash(1, _subtrees[^1], hash);
            _subtrees.RemoveAt(_subtrees.Count - 1);
        }

        _subtrees.Add(hash);
        Count++;
    }

    /// <summary>The root over all leaves.</summary>
    public byte[] Root()
    {
        if (Count == 0)
            return SHA256.HashData([]);

        var root = _subtrees[^1];
        for (var i = _subtrees.Count - 2; i >= 0; i--)
            root = Hash(1, _subtrees[i], root);
        return root;
    }

    public byte[] ToBytes() => [.. _subtrees.SelectMany(static subtree => subtree)];

    private static byte[] Hash(byte kind, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([kind]);
        hash.AppendData(left);
        hash.AppendData(right);
        return hash.GetHashAndReset();
    }
}
