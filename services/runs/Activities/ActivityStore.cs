using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Activities;

/// <summary>
/// Rows of activities: claimed by an owner of the run's shard (its epoch), then settled. Claims and results of all runs share
/// commits. Each write checks in its own transaction that the shard still has the epoch: whoever passes is the only living
/// owner, and a claim that he finds without a result was left by one who is gone.
/// </summary>
internal sealed class ActivityStore : IAsyncDisposable
{
    /// <summary>Takes what has no result, whoever claimed it; leaves what has one.</summary>
    private const string Claim = """
        INSERT INTO activities (identity, run_id, node_id, epoch, claims, created_at) VALUES ($1, $2, $3, $4, 1, $5)
        ON CONFLICT (identity) DO UPDATE SET epoch = excluded.epoch, claims = activities.claims + 1
        WHERE activities.result IS NULL
        """;

    private const string FindResult = "SELECT result FROM activities WHERE identity = $1";

    private const string FindResults = "SELECT identity, result FROM activities WHERE identity = ANY ($1) AND result IS NOT NULL";

    private const string Settle = """
        UPDATE activities SET result = $3, settled_at = $4
        WHERE identity = $1 AND epoch = $2 AND result IS NULL
        """;

    private readonly TimeProvider clock;
    private readonly GroupCommit<Item, Answer> writes;

    public ActivityStore(Database database, TimeProvider clock, ILogger<ActivityStore> logger)
    {
        this.clock = clock;
        writes = new GroupCommit<Item, Answer>(database, new GroupCommitOptions { Name = "activities" }, WriteAsync, logger: logger);
    }

    /// <summary>Claims an activity; returns the result that it has already, or null when the effect is to be performed now.</summary>
    /// <exception cref="Mailbox.RunMovedException">The shard has another owner.</exception>
    public async Task<byte[]?> ClaimAsync(string identity, string nodeId, RunLease lease, CancellationToken cancellationToken)
    {
        var answer = await writes.SubmitAsync(new Item(identity, nodeId, lease, Result: null), cancellationToken);
        return answer.IsFenced ? throw new Mailbox.RunMovedException() : answer.Result;
    }

    /// <summary>Stores the result of a claimed activity; returns when it is durable.</summary>
    /// <exception cref="Mailbox.RunMovedException">The shard has another owner, who will perform the effect again under the same identity.</exception>
    public async Task SettleAsync(string identity, string nodeId, RunLease lease, byte[] result)
    {
        var answer = await writes.SubmitAsync(new Item(identity, nodeId, lease, result), CancellationToken.None);
        if (answer.IsFenced)
        {
            throw new Mailbox.RunMovedException();
        }
    }

    /// <summary>Commits what is queued and refuses more.</summary>
    public ValueTask DisposeAsync() => writes.DisposeAsync();

    private async Task<IReadOnlyList<Answer>> WriteAsync(WriteSession session, IReadOnlyList<Item> items)
    {
        var lost = await ShardLeaseChecks.FindLostAsync(session, items.Select(item => item.Lease));
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var claimed = new List<string>();
        foreach (var item in items.Where(item => !lost.Contains(new ShardLease(item.Lease.Shard, item.Lease.Epoch))))
        {
            if (item.Result is null)
            {
                claimed.Add(item.Identity);
                session.Enqueue(Claim, item.Identity, item.Lease.RunId, item.NodeId, item.Lease.Epoch, now);
            }
            else
            {
                session.Enqueue(Settle, item.Identity, item.Lease.Epoch, item.Result, now);
            }
        }

        var results = await FindResultsAsync(session, claimed);
        return
        [
            .. items.Select(item =>
                lost.Contains(new ShardLease(item.Lease.Shard, item.Lease.Epoch)) ? new Answer(IsFenced: true, null)
                : new Answer(IsFenced: false, item.Result is null ? results.GetValueOrDefault(item.Identity) : null)),
        ];
    }

    /// <summary>One round trip on PostgreSQL; SQLite has none to save.</summary>
    private static async Task<Dictionary<string, byte[]>> FindResultsAsync(WriteSession session, List<string> identities)
    {
        var results = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        if (session.Dialect == SqlDialect.PostgreSql && identities.Count > 0)
        {
            await using var rows = await session.QueryAsync(FindResults, (object)identities.ToArray());
            while (await rows.ReadAsync(session.CancellationToken))
            {
                results[rows.GetString(0)] = rows.GetFieldValue<byte[]>(1);
            }

            return results;
        }

        foreach (var identity in identities)
        {
            if (await session.ScalarAsync<byte[]>(FindResult, identity) is { } result)
            {
                results[identity] = result;
            }
        }

        return results;
    }

    /// <summary>A claim, or the result of one.</summary>
    private sealed record Item(string Identity, string NodeId, RunLease Lease, byte[]? Result);

    private readonly record struct Answer(bool IsFenced, byte[]? Result);
}
