using System.Collections.Concurrent;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Shards;

/// <summary>The shards that this instance may write, with their epochs.</summary>
internal sealed class OwnedShards
{
    private readonly ConcurrentDictionary<int, long> epochs = new();
    private int[] ready = [];
    private int next;

    /// <summary>Shards owned now.</summary>
    public IReadOnlyCollection<int> All => [.. epochs.Keys];

    /// <summary>The same with the epochs under which they are owned.</summary>
    public IReadOnlyCollection<ShardLease> Leases => [.. epochs.Select(shard => new ShardLease(shard.Key, shard.Value))];

    public void Add(int shard, long epoch)
    {
        epochs[shard] = epoch;
        ready = [.. epochs.Keys.Order()];
    }

    public void Remove(int shard)
    {
        epochs.TryRemove(shard, out _);
        ready = [.. epochs.Keys.Order()];
    }

    /// <summary>The right to write a run, or null when its shard is not ours.</summary>
    public RunLease? LeaseOf(string runId) =>
        RunIds.ShardOf(runId) is { } shard && epochs.TryGetValue(shard, out var epoch) ? new RunLease(runId, shard, epoch) : null;

    /// <summary>A new run id in one of our own shards, in turn; null while we own none.</summary>
    public RunLease? Mint(DateTimeOffset now)
    {
        var shards = ready;
        if (shards.Length == 0)
        {
            return null;
        }

        var shard = shards[(uint)Interlocked.Increment(ref next) % (uint)shards.Length];
        return epochs.TryGetValue(shard, out var epoch) ? new RunLease(RunIds.New(shard, now), shard, epoch) : null;
    }
}
