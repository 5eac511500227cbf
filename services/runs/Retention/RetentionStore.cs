using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Retention;

/// <summary>Removes what is past its time, some rows at a time, under the epoch of the shard's owner.</summary>
internal sealed class RetentionStore(Database database)
{
    private const string FindEnded = """
        SELECT run_id, tenant FROM runs
        WHERE shard = $1 AND status IN ('completed', 'failed', 'cancelled') AND expired_at IS NULL AND updated_at < $2
        ORDER BY updated_at LIMIT $3
        """;

    private const string FindExpired = "SELECT run_id FROM runs WHERE shard = $1 AND expired_at IS NOT NULL AND expired_at < $2 ORDER BY expired_at LIMIT $3";

    private const string KeepPosition = """
        INSERT INTO shard_positions (shard, position) VALUES ($1, $2)
        ON CONFLICT (shard) DO UPDATE SET position = excluded.position
        """;

    /// <summary>Everything that belongs to a run, beside its row.</summary>
    private static readonly string[] Parts =
    [
        "DELETE FROM run_events WHERE run_id = $1",
        "DELETE FROM run_states WHERE run_id = $1",
        "DELETE FROM activities WHERE run_id = $1",
        "DELETE FROM run_tags WHERE run_id = $1",
    ];

    private const string MarkExpired = "UPDATE runs SET expired_at = $2 WHERE run_id = $1 AND expired_at IS NULL";

    private const string DeleteRun = "DELETE FROM runs WHERE run_id = $1";

    private const string OldRequests = "SELECT tenant, request_id FROM run_requests WHERE created_at < $1 ORDER BY created_at LIMIT $2";

    private const string DeleteRequests = $"DELETE FROM run_requests WHERE (tenant, request_id) IN ({OldRequests})";

    /// <summary>The same where there are several writers.</summary>
    private const string DeleteRequestsUnlocked = $"DELETE FROM run_requests WHERE (tenant, request_id) IN ({OldRequests} FOR UPDATE SKIP LOCKED)";

    /// <summary>Runs of a shard that ended before a time, oldest first.</summary>
    public async Task<List<(string RunId, string Tenant)>> FindEndedAsync(int shard, DateTimeOffset before, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(FindEnded, (long)shard, before.ToUnixTimeMilliseconds(), (long)limit);
        List<(string, string)> runs = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            runs.Add((rows.GetString(0), rows.GetString(1)));
        }

        return runs;
    }

    /// <summary>Removes the logs of runs and marks their rows.</summary>
    /// <returns>False = the shard has another owner; nothing was removed.</returns>
    public Task<bool> ExpireAsync(ShardLease shard, IReadOnlyList<string> runs, DateTimeOffset now, CancellationToken cancellationToken) =>
        WriteAsync(shard, async session =>
        {
            var position = await session.ScalarAsync<long>(RunQueries.LastPosition, (long)shard.Shard);
            session.Enqueue(KeepPosition, (long)shard.Shard, position);
            foreach (var run in runs)
            {
                foreach (var part in Parts)
                {
                    session.Enqueue(part, run);
                }

                session.Enqueue(MarkExpired, run, now.ToUnixTimeMilliseconds());
            }
        }, cancellationToken);

    /// <summary>Removes the rows of runs whose logs were removed before a time.</summary>
    /// <returns>How many; fewer than the limit = no more are left.</returns>
    public async Task<int> ForgetAsync(ShardLease shard, DateTimeOffset before, int limit, CancellationToken cancellationToken)
    {
        List<string> runs = [];
        await using (var reading = await database.OpenReadAsync(cancellationToken))
        {
            await using var rows = await reading.QueryAsync(FindExpired, (long)shard.Shard, before.ToUnixTimeMilliseconds(), (long)limit);
            while (await rows.ReadAsync(cancellationToken))
            {
                runs.Add(rows.GetString(0));
            }
        }

        if (runs.Count > 0)
        {
            await WriteAsync(shard, session =>
            {
                foreach (var run in runs)
                {
                    session.Enqueue(DeleteRun, run);
                }

                return Task.CompletedTask;
            }, cancellationToken);
        }

        return runs.Count;
    }

    /// <summary>Removes old requests: a repeated one is new again.</summary>
    public Task<int> ForgetRequestsAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        database.WriteAsync(
            session => session.ExecuteAsync(
                session.Dialect == SqlDialect.PostgreSql ? DeleteRequestsUnlocked : DeleteRequests, before.ToUnixTimeMilliseconds(), (long)limit),
            cancellationToken);

    private Task<bool> WriteAsync(ShardLease shard, Func<WriteSession, Task> work, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                if (!await ShardLeases.VerifyEpochsAsync(session, [shard]))
                {
                    return false;
                }

                await work(session);
                return true;
            },
            cancellationToken);
}
