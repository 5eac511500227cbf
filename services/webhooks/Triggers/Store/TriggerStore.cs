using System.Data.Common;
using System.Text.Json;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Webhooks.Store;
using OpenWop.Micro.Webhooks.Subscriptions;

namespace OpenWop.Micro.Webhooks.Triggers.Store;

/// <summary>What became of the attempt to store a trigger.</summary>
internal enum TriggerInsertion
{
    Stored,

    /// <summary>The request has made one before.</summary>
    Repeated,

    /// <summary>The tenant has as many as it may.</summary>
    Full,
}

/// <summary>Triggers. Every change that followers must know of grows the revision that subscriptions have as well.</summary>
internal sealed class TriggerStore([FromKeyedServices(WebhooksHosting.Service)] Database database)
{
    private const int PageSize = 1000;

    public async Task<Trigger?> FindAsync(SubscriptionOwner owner, string id, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await OneAsync(session, TriggerQueries.Find, id, owner.Tenant, SubscriptionRows.Mode(owner));
    }

    /// <summary>The trigger that a request has made, or null.</summary>
    public async Task<Trigger?> FindByRequestAsync(string tenant, string requestId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await OneAsync(session, TriggerQueries.FindByRequest, tenant, requestId);
    }

    /// <summary>Triggers of an owner after an id, oldest first.</summary>
    public async Task<List<Trigger>> ListAsync(SubscriptionOwner owner, string after, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await ManyAsync(session, TriggerQueries.List, owner.Tenant, SubscriptionRows.Mode(owner), after, (long)limit);
    }

    /// <param name="limit">Most triggers that a tenant may have.</param>
    public Task<TriggerInsertion> InsertAsync(Trigger trigger, string? requestId, long limit, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            // Takes the lock of the revision first, so that two of the last free place come one after the other.
            await session.ExecuteAsync(SubscriptionQueries.NextRevision);
            if (await session.ScalarAsync<long>(TriggerQueries.CountUpTo, trigger.Owner.Tenant, limit) >= limit)
                return TriggerInsertion.Full;

            return await session.ExecuteAsync(
                TriggerQueries.Insert,
                trigger.Id,
                trigger.Owner.Tenant,
                SubscriptionRows.Mode(trigger.Owner),
                trigger.Principal,
                requestId,
                trigger.SpecJson,
                SubscriptionRows.Numbers(trigger.Positions),
                trigger.CreatedAt.ToUnixTimeMilliseconds()) == 1
                    ? TriggerInsertion.Stored
                    : TriggerInsertion.Repeated;
        },
        cancellationToken);

    /// <param name="before">The trigger as it was read.</param>
    /// <returns>False = it is not any more what was read.</returns>
    public Task<bool> SetSpecAsync(Trigger before, Trigger after, CancellationToken cancellationToken) => ChangeAsync(
        TriggerQueries.SetSpec,
        [
            before.Id, before.Owner.Tenant, SubscriptionRows.Mode(before.Owner), before.SpecJson, after.SpecJson, after.UpdatedAt.ToUnixTimeMilliseconds(),
        ],
        cancellationToken);

    /// <returns>False = there is none.</returns>
    public Task<bool> SetStatusAsync(Trigger after, CancellationToken cancellationToken) => ChangeAsync(
        TriggerQueries.SetStatus,
        [
            after.Id, after.Owner.Tenant, SubscriptionRows.Mode(after.Owner), after.Status, SubscriptionRows.Numbers(after.Positions), after.UpdatedAt.ToUnixTimeMilliseconds(),
        ],
        cancellationToken);

    /// <summary>What it still had to start is not started any more.</summary>
    /// <returns>False = there is none.</returns>
    public Task<bool> DeleteAsync(SubscriptionOwner owner, string id, CancellationToken cancellationToken) =>
        ChangeAsync(TriggerQueries.Delete, [id, owner.Tenant, SubscriptionRows.Mode(owner)], cancellationToken);

    /// <summary>All that are active, in pages by id.</summary>
    public static async Task<List<Trigger>> ReadActiveAsync(Session session)
    {
        var all = new List<Trigger>();
        for (var after = ""; ; after = all[^1].Id)
        {
            var page = await ManyAsync(session, TriggerQueries.ListActive, after, (long)PageSize);
            all.AddRange(page);
            if (page.Count < PageSize)
                return all;
        }
    }

    /// <summary>A trigger of anybody.</summary>
    public static Task<Trigger?> FindByIdAsync(Session session, string id) => OneAsync(session, TriggerQueries.FindById, id);

    private Task<bool> ChangeAsync(string sql, object?[] values, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            await session.ExecuteAsync(SubscriptionQueries.NextRevision);
            return await session.ExecuteAsync(sql, values) == 1;
        },
        cancellationToken);

    private static async Task<Trigger?> OneAsync(Session session, string sql, params object?[] values)
    {
        await using var row = await session.QueryAsync(sql, values);
        return await row.ReadAsync(session.CancellationToken) ? Read(row) : null;
    }

    private static async Task<List<Trigger>> ManyAsync(Session session, string sql, params object?[] values)
    {
        var page = new List<Trigger>();
        await using var rows = await session.QueryAsync(sql, values);
        while (await rows.ReadAsync(session.CancellationToken))
            page.Add(Read(rows));

        return page;
    }

    private static Trigger Read(DbDataReader row) =>
        new(row.GetString(0), new SubscriptionOwner(row.GetString(1), row.GetInt64(2) == 1), row.GetString(3), row.GetFieldValue<byte[]>(4))
        {
            Status = row.GetString(5),
            Positions = [.. JsonSerializer.Deserialize<long[]>(row.GetString(6))!],
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(7)),
            UpdatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(8)),
        };
}
