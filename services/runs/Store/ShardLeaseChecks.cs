using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Store;

/// <summary>Which of the leases behind a batch of writes are not ours any more.</summary>
internal static class ShardLeaseChecks
{
    /// <summary>One statement when all are ours, as they nearly always are; one by one to find the others.</summary>
    public static async Task<HashSet<ShardLease>> FindLostAsync(WriteSession session, IEnumerable<RunLease> leases)
    {
        HashSet<ShardLease> all = [.. leases.Select(lease => new ShardLease(lease.Shard, lease.Epoch))];
        HashSet<ShardLease> lost = [];
        if (!await ShardLeases.VerifyEpochsAsync(session, all))
        {
            foreach (var lease in all)
            {
                if (!await ShardLeases.VerifyEpochsAsync(session, [lease]))
                {
                    lost.Add(lease);
                }
            }
        }

        return lost;
    }
}
