using System.Data.Common;
using System.Text.Json;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Webhooks.Triggers.Store;

/// <summary>The right to start the run of a firing, for the time of a claim.</summary>
/// <param name="Trigger">Null = it was deleted.</param>
/// <param name="Token">Names this claim and no other.</param>
internal sealed record FiringClaim(Firing Firing, Trigger? Trigger, string Token);

/// <summary>What became of an attempt.</summary>
/// <param name="After">Null = the firing is forgotten: its trigger is gone.</param>
/// <param name="RetryAt">When to try again; null = settled.</param>
internal sealed record FiringOutcome(FiringClaim Claim, Firing? After, DateTimeOffset? RetryAt);

/// <summary>Firings: claimed, then settled once there is a run. Claims end by themselves.</summary>
internal sealed class FiringStore : IAsyncDisposable
{
    /// <summary>How long a claim outlives its process: longer than asking the engine takes.</summary>
    public static readonly TimeSpan ClaimTime = TimeSpan.FromSeconds(30);

    private readonly Database database;
    private readonly GroupCommit<FiringOutcome, bool> outcomes;

    public FiringStore([FromKeyedServices(WebhooksHosting.Service)] Database database, ILogger<FiringStore> logger)
    {
        this.database = database;
        outcomes = new GroupCommit<FiringOutcome, bool>(database, new GroupCommitOptions { Name = "triggers" }, WriteAsync, onCommitted: null, logger);
    }

    /// <summary>When the next is due, or its claim ends; null = none waits.</summary>
    public async Task<DateTimeOffset?> NextDueAsync(CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var row = await session.QueryAsync(FiringQueries.NextDue);
        return await row.ReadAsync(cancellationToken) && !row.IsDBNull(0) ? DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(0)) : null;
    }

    public Task<List<FiringClaim>> ClaimAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            var token = Guid.NewGuid().ToString("n");
            var firings = await ManyAsync(
                session,
                session.Dialect == SqlDialect.PostgreSql ? FiringQueries.ClaimUnlocked : FiringQueries.Claim,
                now.ToUnixTimeMilliseconds(),
                (long)limit,
                (now + ClaimTime).ToUnixTimeMilliseconds(),
                token);
            var triggers = new Dictionary<string, Trigger?>(StringComparer.Ordinal);
            foreach (var id in firings.Select(firing => firing.TriggerId).Distinct(StringComparer.Ordinal))
                triggers[id] = await TriggerStore.FindByIdAsync(session, id);

            return firings.ConvertAll(firing => new FiringClaim(firing, triggers[firing.TriggerId], token));
        },
        cancellationToken);

    /// <summary>Stores what became of an attempt; many share one commit.</summary>
    public Task SettleAsync(FiringOutcome outcome) => outcomes.SubmitAsync(outcome, CancellationToken.None);

    /// <summary>What became of a trigger's events, newest first, before another one.</summary>
    /// <param name="before">Cursor of a page; one that is none begins anew.</param>
    public async Task<List<Firing>> ListAsync(string triggerId, string before, int limit, CancellationToken cancellationToken)
    {
        var (createdAt, id) = ParseCursor(before);
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await ManyAsync(session, FiringQueries.List, triggerId, createdAt, id, (long)limit);
    }

    public async Task<Firing?> FindAsync(string triggerId, string firingId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return (await ManyAsync(session, FiringQueries.Find, firingId, triggerId)).FirstOrDefault();
    }

    /// <returns>False = it has not failed.</returns>
    public Task<bool> ReviveAsync(string triggerId, string firingId, DateTimeOffset now, CancellationToken cancellationToken) => database.WriteAsync(
        async session => await session.ExecuteAsync(FiringQueries.Revive, firingId, triggerId, now.ToUnixTimeMilliseconds()) == 1, cancellationToken);

    /// <summary>Forgets firings that were settled before; at most <paramref name="limit"/>.</summary>
    /// <returns>How many.</returns>
    public Task<int> ForgetAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.ExecuteAsync(FiringQueries.Forget, before.ToUnixTimeMilliseconds(), (long)limit), cancellationToken);

    public ValueTask DisposeAsync() => outcomes.DisposeAsync();

    private static Task<IReadOnlyList<bool>> WriteAsync(WriteSession session, IReadOnlyList<FiringOutcome> outcomes)
    {
        foreach (var (claim, after, retryAt) in outcomes.OrderBy(outcome => outcome.Claim.Firing.Id, StringComparer.Ordinal))
        {
            if (after is null)
            {
                session.Enqueue(FiringQueries.Remove, claim.Firing.Id, claim.Token);
                continue;
            }

            session.Enqueue(
                FiringQueries.Settle,
                after.Id,
                claim.Token,
                (long)after.Status,
                after.Reason,
                after.RunId,
                (long)after.Attempts,
                retryAt?.ToUnixTimeMilliseconds(),
                after.SettledAt?.ToUnixTimeMilliseconds());
        }

        return Task.FromResult<IReadOnlyList<bool>>(new bool[outcomes.Count]);
    }

    private static (long CreatedAt, string Id) ParseCursor(string cursor) =>
        cursor.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
        && long.TryParse(cursor.AsSpan(0, dot), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var createdAt)
            ? (createdAt, cursor[(dot + 1)..])
            : (long.MaxValue, "");

    private static async Task<List<Firing>> ManyAsync(Session session, string sql, params object?[] values)
    {
        var firings = new List<Firing>();
        await using var rows = await session.QueryAsync(sql, values);
        while (await rows.ReadAsync(session.CancellationToken))
            firings.Add(Read(rows));

        return firings;
    }

    private static Firing Read(DbDataReader row) =>
        new(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetString(4), row.GetString(5))
        {
            Document = row.IsDBNull(6) ? [] : row.GetFieldValue<byte[]>(6),
            Lineage = JsonSerializer.Deserialize<string[]>(row.GetString(7))!,
            Status = (FiringStatus)row.GetInt64(8),
            Reason = row.IsDBNull(9) ? null : row.GetString(9),
            RunId = row.IsDBNull(10) ? null : row.GetString(10),
            Attempts = (int)row.GetInt64(11),
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(12)),
            SettledAt = row.IsDBNull(13) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(13)),
        };
}
