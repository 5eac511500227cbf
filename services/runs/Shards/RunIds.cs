using System.Security.Cryptography;

namespace OpenWop.Micro.Runs.Shards;

/// <summary>
/// Run ids: <c>run-</c>, two characters of shard, ten of time, sixteen of randomness, in lower-case Crockford base 32. Whoever
/// sees an id knows the shard; ids of one shard ascend with time; no <c>:</c> and no <c>/</c> (spec/http-core.md 13).
/// </summary>
internal static class RunIds
{
    public const int MaxShards = 1024;

    private const string Prefix = "run-";
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int ShardLength = 2;
    private const int TimeLength = 10;
    private const int RandomLength = 16;
    private const int Length = 4 + ShardLength + TimeLength + RandomLength;

    public static string New(int shard, DateTimeOffset now)
    {
        Span<byte> random = stackalloc byte[RandomLength];
        RandomNumberGenerator.Fill(random);
        Span<char> id = stackalloc char[Length];
        Prefix.CopyTo(id);
        Write(id.Slice(Prefix.Length, ShardLength), shard);
        Write(id.Slice(Prefix.Length + ShardLength, TimeLength), now.ToUnixTimeMilliseconds());
        for (var i = 0; i < RandomLength; i++)
        {
            id[Prefix.Length + ShardLength + TimeLength + i] = Alphabet[random[i] & 31];
        }

        return new string(id);
    }

    /// <summary>What all ids of a shard begin with, and no others.</summary>
    public static string PrefixOf(int shard)
    {
        Span<char> prefix = stackalloc char[Prefix.Length + ShardLength];
        Prefix.CopyTo(prefix);
        Write(prefix[Prefix.Length..], shard);
        return new string(prefix);
    }

    /// <summary>The shard of an id; null for anything that is not an id of ours.</summary>
    public static int? ShardOf(string runId)
    {
        if (runId.Length != Length || !runId.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }

        var shard = 0;
        for (var i = Prefix.Length; i < Length; i++)
        {
            var digit = Alphabet.IndexOf(runId[i], StringComparison.Ordinal);
            if (digit < 0)
            {
                return null;
            }

            shard = i < Prefix.Length + ShardLength ? (shard * 32) + digit : shard;
        }

        return shard;
    }

    private static void Write(Span<char> target, long value)
    {
        for (var i = target.Length - 1; i >= 0; i--)
        {
            target[i] = Alphabet[(int)(value & 31)];
            value >>= 5;
        }
    }
}
