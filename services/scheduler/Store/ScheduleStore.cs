using System.Data.Common;
using OpenWop.Micro.Scheduler.Schedules;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Scheduler.Store;

/// <summary>What became of the attempt to store a schedule.</summary>
internal enum StoreOutcome
{
    Stored,

    /// <summary>The id is taken.</summary>
    Taken,

    /// <summary>The tenant has as many schedules as it may.</summary>
    Full,

    /// <summary>Somebody else has changed it meanwhile.</summary>
    Outdated,
}

/// <summary>Schedules as callers make, read and change them.</summary>
internal sealed class ScheduleStore([FromKeyedServices("scheduler")] Database database)
{
    public async Task<Schedule?> FindAsync(ScheduleOwner owner, string id, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var row = await session.QueryAsync(ScheduleQueries.Find, owner.Tenant, Mode(owner), id);
        return await row.ReadAsync(cancellationToken) ? Read(row) : null;
    }

    /// <summary>The schedules with these uids; those that are gone are left out.</summary>
    public async Task<List<Schedule>> FindAsync(IReadOnlyCollection<string> uids, CancellationToken cancellationToken)
    {
        var found = new List<Schedule>(uids.Count);
        await using var session = await database.OpenReadAsync(cancellationToken);
        if (session.Dialect == SqlDialect.PostgreSql)
        {
            await using var rows = await session.QueryAsync(ScheduleQueries.FindByUids, [uids.ToArray()]);
            while (await rows.ReadAsync(cancellationToken))
                found.Add(Read(rows));

            return found;
        }

        foreach (var uid in uids)
        {
            await using var row = await session.QueryAsync(ScheduleQueries.FindByUid, uid);
            if (await row.ReadAsync(cancellationToken))
                found.Add(Read(row));
        }

        return found;
    }

    /// <summary>Schedules of an owner after an id, in the order of ids.</summary>
    public async Task<List<Schedule>> ListAsync(ScheduleOwner owner, string after, int limit, CancellationToken cancellationToken)
    {
        var page = new List<Schedule>(Math.Min(limit, 256));
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(ScheduleQueries.List, owner.Tenant, Mode(owner), after, (long)limit);
        while (await rows.ReadAsync(cancellationToken))
            page.Add(Read(rows));

        return page;
    }

    /// <param name="limit">Most schedules that a tenant may have.</param>
    public Task<StoreOutcome> InsertAsync(Schedule schedule, long limit, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            if (await session.ScalarAsync<long>(ScheduleQueries.CountUpTo, schedule.Owner.Tenant, limit) >= limit)
                return StoreOutcome.Full;

            return await session.ExecuteAsync(ScheduleQueries.Insert, InsertValues(schedule)) == 1 ? StoreOutcome.Stored : StoreOutcome.Taken;
        },
        cancellationToken);

    /// <summary>Stores a change of what was read, unless somebody else was faster.</summary>
    public Task<StoreOutcome> UpdateAsync(Schedule schedule, CancellationToken cancellationToken) => database.WriteAsync(
        async session => await session.ExecuteAsync(
            ScheduleQueries.Update,
            schedule.Uid,
            schedule.Revision,
            schedule.SpecJson,
            Ms(schedule.SettledUntil),
            Ms(schedule.NextFireAt),
            (long)schedule.Delay.TotalMilliseconds,
            Ms(schedule.UpdatedAt)) == 1 ? StoreOutcome.Stored : StoreOutcome.Outdated,
        cancellationToken);

    /// <summary>False when there is none. Slots that were claimed and not made into runs yet are forgotten with it.</summary>
    public Task<bool> DeleteAsync(ScheduleOwner owner, string id, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            if (await session.ScalarAsync<string>(ScheduleQueries.Delete, owner.Tenant, Mode(owner), id) is not { } uid)
                return false;

            await session.ExecuteAsync(ScheduleQueries.DeleteFires, uid);
            return true;
        },
        cancellationToken);

    /// <summary>Stores many at once, for measurements.</summary>
    internal Task InsertManyAsync(IEnumerable<Schedule> schedules, CancellationToken cancellationToken) => database.WriteAsync(
        session =>
        {
            foreach (var schedule in schedules)
                session.Enqueue(ScheduleQueries.Insert, InsertValues(schedule));

            return Task.CompletedTask;
        },
        cancellationToken);

    internal static long Mode(ScheduleOwner owner) => owner.IsTest ? 1 : 0;

    internal static object? Ms(DateTimeOffset? time) => time?.ToUnixTimeMilliseconds();

    internal static DateTimeOffset? Time(DbDataReader row, int column) => row.IsDBNull(column) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));

    private static object?[] InsertValues(Schedule schedule) =>
    [
        schedule.Uid,
        schedule.Owner.Tenant,
        Mode(schedule.Owner),
        schedule.Id,
        (long)schedule.Partition,
        schedule.Principal,
        schedule.SpecJson,
        schedule.Revision,
        Ms(schedule.SettledUntil),
        Ms(schedule.NextFireAt),
        (long)schedule.Delay.TotalMilliseconds,
        Ms(schedule.CreatedAt),
    ];

    private static Schedule Read(DbDataReader row) => new(
        row.GetString(0),
        new ScheduleOwner(row.GetString(1), row.GetInt64(2) == 1),
        row.GetString(3),
        row.IsDBNull(4) ? null : row.GetString(4),
        row.GetFieldValue<byte[]>(5))
    {
        Revision = row.GetInt64(6),
        SettledUntil = Time(row, 7)!.Value,
        NextFireAt = Time(row, 8),
        Delay = TimeSpan.FromMilliseconds(row.GetInt64(9)),
        IsDriven = row.GetInt64(10) == 1,
        LastSlot = Time(row, 11),
        LastFiredAt = Time(row, 12),
        LastRunId = row.IsDBNull(13) ? null : row.GetString(13),
        CreatedAt = Time(row, 14)!.Value,
        UpdatedAt = Time(row, 15)!.Value,
    };
}
