using System.Collections.Concurrent;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Shards;

/// <summary>
/// The shards that this instance may write, with their epochs. While the leases are not confirmed, as after a freeze, it owns nothing: the
/// shards may have a new owner already, and what is in memory may be old.
/// </summary>
internal sealed class OwnedShards
{
    private readonly ConcurrentDictionary<int, long> epochs = new();
    private Func<bool> areConfirmed = static () => true;
    private int[] ready = [];
    private int next;

    /// <summary>Shards owned now, confirmed or not.</summary>
    public IReadOnlyCollection<int> All => [.. epochs.Keys];

    /// <summary>The same with the epochs under which they are owned.</summary>
    public IReadOnlyCollection<ShardLease> Leases => [.. epochs.Select(shard => new ShardLease(shard.Key, shard.Value))];

    /// <summary>Says who knows whether the leases hold.</summary>
    public void ConfirmBy(Func<bool> confirmed) => areConfirmed = confirmed;

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

    /// <summary>Whether a shard is ours; null = any shard at all.</summary>
    public bool Owns(int? shard) => (shard is { } number ? epochs.ContainsKey(number) : !epochs.IsEmpty) && areConfirmed();

    /// <summary>The epoch of a shard of ours, confirmed or not; null when it is not ours.</summary>
    public long? EpochOf(int shard) => epochs.TryGetValue(shard, out var epoch) ? epoch : null;

    /// <summary>Whether a shard is still ours under the epoch that we acquired it with.</summary>
    public bool Holds(RunLease lease) => epochs.TryGetValue(lease.Shard, out var epoch) && epoch == lease.Epoch && areConfirmed();

    /// <summary>The right to write a run, or null when its shard is not ours.</summary>
    public RunLease? LeaseOf(string runId) =>
        RunIds.ShardOf(runId) is { } shard && epochs.TryGetValue(shard, out var epoch) && areConfirmed() ? new RunLease(runId, shard, epoch) : null;

    /// <summary>A new run id in one of our own shards, in turn; null while we own none.</summary>
    public RunLease? Mint(DateTimeOffset now)
    {
        var shards = ready;
        if (shards.Length == 0 || !areConfirmed())
        {
            return null;
        }

        var shard = shards[(uint)Interlocked.Increment(ref next) % (uint)shards.Length];
        return epochs.TryGetValue(shard, out var epoch) ? new RunLease(RunIds.New(shard, now), shard, epoch) : null;
    }
}
