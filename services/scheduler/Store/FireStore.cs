using System.Data.Common;
using OpenWop.Micro.Scheduler.Schedules;
using OpenWop.Micro.Scheduler.Timing;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Scheduler.Store;

/// <summary>A decision about one schedule that is to be made durable.</summary>
/// <param name="Schedule">As it was read; the claim holds only while it is still at that revision.</param>
/// <param name="NextFireAt">When its clock moves next by itself; null = not.</param>
/// <param name="IsDriven">Whether only ticks move its clock from now on.</param>
internal sealed record Claim(Schedule Schedule, DueSlots Due, DateTimeOffset? NextFireAt, bool IsDriven);

/// <summary>What became of one attempt to make the run of a slot.</summary>
/// <param name="RetryAt">When to try again; null = settled.</param>
internal sealed record FireOutcome(Fire Fire, DateTimeOffset? RetryAt);

/// <summary>Slots: claimed together with the move of the schedule's clock, then settled once the run is made.</summary>
internal sealed class FireStore : IAsyncDisposable
{
    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly GroupCommit<FireOutcome, bool> _outcomes;

    public FireStore([FromKeyedServices("scheduler")] Database database, TimeProvider time, ILogger<FireStore> logger)
    {
        _database = database;
        _time = time;
        _outcomes = new GroupCommit<FireOutcome, bool>(
            database, new GroupCommitOptions { Name = "scheduler.outcomes" }, WriteOutcomesAsync, onCommitted: null, logger);
    }

    /// <summary>How long whoever has claimed a slot is left alone with it.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Moves the clocks of the schedules and claims their slots, in one transaction. Of several that decide about the same schedule one
    /// wins; the others get nothing for it, and find out by reading it again.
    /// </summary>
    /// <returns>The claimed slots by uid, for each claim that has won.</returns>
    public Task<Dictionary<string, List<Fire>>> ClaimAsync(IReadOnlyList<Claim> claims, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        return _database.WriteAsync(
            async session =>
            {
                var won = new Dictionary<string, List<Fire>>(StringComparer.Ordinal);
                var winners = await MoveClocksAsync(session, claims);
                foreach (var claim in claims.Where(claim => winners.Contains(claim.Schedule.Uid)))
                {
                    var schedule = claim.Schedule;
                    var fires = claim.Due.Fire
                        .Select(slot => new Fire(schedule.Uid, schedule.Owner, schedule.Id, slot))
                        .ToList();
                    foreach (var fire in fires)
                    {
                        session.Enqueue(
                            FireQueries.Insert,
                            fire.Uid,
                            fire.Slot.ToUnixTimeMilliseconds(),
                            fire.Owner.Tenant,
                            ScheduleStore.Mode(fire.Owner),
                            fire.ScheduleId,
                            (long)schedule.Partition,
                            (now + Patience).ToUnixTimeMilliseconds(),
                            now.ToUnixTimeMilliseconds());
                    }

                    won.Add(schedule.Uid, fires);
                }

                return won;
            },
            cancellationToken);
    }

    /// <summary>Notes that making the run begins. False when somebody else has done so before.</summary>
    public Task<bool> StartAsync(Fire fire, CancellationToken cancellationToken) => _database.WriteAsync(
        async session => await session.ExecuteAsync(FireQueries.Start, fire.Uid, fire.Slot.ToUnixTimeMilliseconds()) == 1, cancellationToken);

    /// <summary>Notes what became of an attempt; many share one commit.</summary>
    public Task NoteAsync(FireOutcome outcome) => _outcomes.SubmitAsync(outcome, CancellationToken.None);

    /// <summary>True for the one who may tell of the slot.</summary>
    public Task<bool> ReportAsync(Fire fire, CancellationToken cancellationToken) => _database.WriteAsync(
        async session => await session.ExecuteAsync(FireQueries.Report, fire.Uid, fire.Slot.ToUnixTimeMilliseconds()) == 1, cancellationToken);

    public async Task<Fire?> FindAsync(string uid, DateTimeOffset slot, CancellationToken cancellationToken) =>
        (await ReadAsync(FireQueries.Find, cancellationToken, uid, slot.ToUnixTimeMilliseconds())).FirstOrDefault();

    /// <summary>Slots of a part whose runs are still to be made and whose time for that has come.</summary>
    public Task<List<Fire>> ToMakeAsync(int partition, DateTimeOffset until, int limit, CancellationToken cancellationToken) =>
        ReadAsync(FireQueries.ToMake, cancellationToken, (long)partition, until.ToUnixTimeMilliseconds(), (long)limit);

    /// <summary>What became of a schedule's slots, newest first.</summary>
    public Task<List<Fire>> HistoryAsync(string uid, DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        ReadAsync(FireQueries.History, cancellationToken, uid, before.ToUnixTimeMilliseconds(), (long)limit);

    /// <summary>Claimed slots of an owner within a minute.</summary>
    public Task<List<Fire>> OfMinuteAsync(ScheduleOwner owner, DateTimeOffset minute, CancellationToken cancellationToken) => ReadAsync(
        FireQueries.OfMinute,
        cancellationToken,
        owner.Tenant,
        ScheduleStore.Mode(owner),
        minute.ToUnixTimeMilliseconds(),
        minute.AddMinutes(1).ToUnixTimeMilliseconds());

    public async Task<string?> PreviousRunAsync(Fire fire, CancellationToken cancellationToken)
    {
        await using var session = await _database.OpenReadAsync(cancellationToken);
        return await session.ScalarAsync<string>(FireQueries.PreviousRun, fire.Uid, fire.Slot.ToUnixTimeMilliseconds());
    }

    /// <summary>What fires in a part after one instant and up to another, soonest first.</summary>
    public async Task<List<(string Uid, DateTimeOffset At)>> UpcomingAsync(
        int partition, DateTimeOffset after, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var upcoming = new List<(string, DateTimeOffset)>();
        await using var session = await _database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(
            ScheduleQueries.Upcoming, (long)partition, after.ToUnixTimeMilliseconds(), until.ToUnixTimeMilliseconds());
        while (await rows.ReadAsync(cancellationToken))
            upcoming.Add((rows.GetString(0), ScheduleStore.Time(rows, 1)!.Value));

        return upcoming;
    }

    /// <summary>Forgets settled slots that were claimed before; at most <paramref name="limit"/>.</summary>
    public Task<int> ForgetAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) => _database.WriteAsync(
        session => session.ExecuteAsync(FireQueries.Forget, before.ToUnixTimeMilliseconds(), (long)limit), cancellationToken);

    public ValueTask DisposeAsync() => _outcomes.DisposeAsync();

    private static async Task<HashSet<string>> MoveClocksAsync(WriteSession session, IReadOnlyList<Claim> claims)
    {
        var winners = new HashSet<string>(StringComparer.Ordinal);
        if (session.Dialect == SqlDialect.PostgreSql)
        {
            await using var rows = await session.QueryAsync(
                ScheduleQueries.Claim,
                claims.Select(claim => claim.Schedule.Uid).ToArray(),
                claims.Select(claim => claim.Schedule.Revision).ToArray(),
                claims.Select(claim => claim.Due.SettledUntil.ToUnixTimeMilliseconds()).ToArray(),
                claims.Select(claim => claim.NextFireAt?.ToUnixTimeMilliseconds()).ToArray(),
                claims.Select(claim => claim.IsDriven ? 1L : 0L).ToArray());
            while (await rows.ReadAsync(session.CancellationToken))
                winners.Add(rows.GetString(0));

            return winners;
        }

        foreach (var claim in claims)
        {
            if (await session.ExecuteAsync(
                ScheduleQueries.ClaimOne,
                claim.Schedule.Uid,
                claim.Schedule.Revision,
                claim.Due.SettledUntil.ToUnixTimeMilliseconds(),
                ScheduleStore.Ms(claim.NextFireAt),
                claim.IsDriven ? 1L : 0L) == 1)
            {
                winners.Add(claim.Schedule.Uid);
            }
        }

        return winners;
    }

    private static Task<IReadOnlyList<bool>> WriteOutcomesAsync(WriteSession session, IReadOnlyList<FireOutcome> outcomes)
    {
        // In the order in which everybody locks: by uid, the schedule before its slots.
        foreach (var (fire, retryAt) in outcomes.OrderBy(outcome => outcome.Fire.Uid, StringComparer.Ordinal).ThenBy(outcome => outcome.Fire.Slot))
        {
            var slot = fire.Slot.ToUnixTimeMilliseconds();
            if (retryAt is { } at)
            {
                session.Enqueue(FireQueries.Postpone, fire.Uid, slot, (long)fire.Attempts, fire.Error, at.ToUnixTimeMilliseconds());
                continue;
            }

            if (fire.RunId is not null)
                session.Enqueue(ScheduleQueries.NoteRun, fire.Uid, slot, fire.RunId, ScheduleStore.Ms(fire.SettledAt));
            session.Enqueue(FireQueries.Settle, fire.Uid, slot, (long)fire.Status, fire.RunId, fire.Error, ScheduleStore.Ms(fire.SettledAt));
        }

        return Task.FromResult<IReadOnlyList<bool>>(new bool[outcomes.Count]);
    }

    private async Task<List<Fire>> ReadAsync(string sql, CancellationToken cancellationToken, params object?[] values)
    {
        var fires = new List<Fire>();
        await using var session = await _database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(sql, values);
        while (await rows.ReadAsync(cancellationToken))
            fires.Add(Read(rows));

        return fires;
    }

    private static Fire Read(DbDataReader row) =>
        new(row.GetString(0), new ScheduleOwner(row.GetString(1), row.GetInt64(2) == 1), row.GetString(3), ScheduleStore.Time(row, 4)!.Value)
        {
            Status = (FireStatus)row.GetInt64(5),
            RunId = row.IsDBNull(6) ? null : row.GetString(6),
            Error = row.IsDBNull(7) ? null : row.GetString(7),
            Attempts = (int)row.GetInt64(8),
            SettledAt = ScheduleStore.Time(row, 9),
            IsReported = row.GetInt64(10) == 1,
        };
}
