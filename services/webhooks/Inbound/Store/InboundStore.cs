using System.Data.Common;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Webhooks.Inbound.Store;

/// <summary>What became of the attempt to store a webhook.</summary>
internal enum InboundStoreOutcome
{
    Stored,

    /// <summary>The path is taken.</summary>
    Taken,

    /// <summary>The tenant has as many as it may.</summary>
    Full,
}

/// <summary>Inbound webhooks, and the runs that their deliveries have made.</summary>
internal sealed class InboundStore([FromKeyedServices("webhooks")] Database database)
{
    public async Task<InboundWebhook?> FindAsync(InboundOwner owner, string id, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await OneAsync(session, InboundQueries.Find, id, owner.Tenant, Mode(owner));
    }

    /// <summary>Whose URL it is, or null.</summary>
    public async Task<InboundWebhook?> FindByTokenAsync(string token, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await OneAsync(session, InboundQueries.FindByToken, token);
    }

    /// <summary>The webhook that a request has made, or null.</summary>
    public async Task<InboundWebhook?> FindByRequestAsync(string tenant, string requestId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await OneAsync(session, InboundQueries.FindByRequest, tenant, requestId);
    }

    /// <summary>Webhooks of an owner after an id, oldest first.</summary>
    public async Task<List<InboundWebhook>> ListAsync(InboundOwner owner, string after, int limit, CancellationToken cancellationToken)
    {
        var page = new List<InboundWebhook>();
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(InboundQueries.List, owner.Tenant, Mode(owner), after, (long)limit);
        while (await rows.ReadAsync(cancellationToken))
            page.Add(Read(rows));

        return page;
    }

    /// <summary>Webhooks of everybody after an id.</summary>
    public async Task<List<InboundWebhook>> ListAllAsync(string after, int limit, CancellationToken cancellationToken)
    {
        var page = new List<InboundWebhook>();
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(InboundQueries.ListAll, after, (long)limit);
        while (await rows.ReadAsync(cancellationToken))
            page.Add(Read(rows));

        return page;
    }

    /// <summary>Stores the same secrets sealed with another key.</summary>
    public Task SealAgainAsync(InboundWebhook before, byte[] secret, byte[]? previousSecret, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.ExecuteAsync(InboundQueries.SealAgain, before.Id, before.Secret, secret, previousSecret), cancellationToken);

    /// <param name="requestId">The request that makes it; null = none.</param>
    /// <param name="limit">Most webhooks that a tenant may have.</param>
    public Task<InboundStoreOutcome> InsertAsync(InboundWebhook webhook, string? requestId, long limit, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            if (await session.ScalarAsync<long>(InboundQueries.CountUpTo, webhook.Owner.Tenant, limit) >= limit)
                return InboundStoreOutcome.Full;

            var stored = await session.ExecuteAsync(
                InboundQueries.Insert,
                webhook.Id,
                webhook.Owner.Tenant,
                Mode(webhook.Owner),
                webhook.Spec.Path,
                webhook.Token,
                webhook.Principal,
                webhook.SpecJson,
                webhook.Secret,
                webhook.CreatedAt.ToUnixTimeMilliseconds(),
                requestId);
            return stored == 1 ? InboundStoreOutcome.Stored : InboundStoreOutcome.Taken;
        },
        cancellationToken);

    /// <summary>Stores another spec.</summary>
    /// <param name="before">The webhook as it was read.</param>
    /// <returns>False = it is not any more what was read, or another one has the path.</returns>
    public Task<bool> SetSpecAsync(InboundWebhook before, InboundWebhook after, CancellationToken cancellationToken) => database.WriteAsync(
        async session => await session.ExecuteAsync(
            InboundQueries.SetSpec, before.Id, before.Owner.Tenant, Mode(before.Owner), before.SpecJson, after.SpecJson, after.Spec.Path) == 1,
        cancellationToken);

    /// <summary>Gives a webhook a new secret.</summary>
    /// <param name="previousUntil">Until when the secret before is good.</param>
    /// <param name="requestId">The request that asks for it; null = none. One that comes again changes nothing.</param>
    /// <returns>The webhook as it is now; null = there is none.</returns>
    public Task<InboundWebhook?> SetSecretAsync(
        InboundOwner owner, string id, byte[] secret, DateTimeOffset previousUntil, string? requestId, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            await session.ExecuteAsync(InboundQueries.SetSecret, id, owner.Tenant, Mode(owner), secret, previousUntil.ToUnixTimeMilliseconds(), requestId);
            return await OneAsync(session, InboundQueries.Find, id, owner.Tenant, Mode(owner));
        },
        cancellationToken);

    /// <summary>False when there is none.</summary>
    public Task<bool> DeleteAsync(InboundOwner owner, string id, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            if (await session.ExecuteAsync(InboundQueries.Delete, id, owner.Tenant, Mode(owner)) != 1)
                return false;

            await session.ExecuteAsync(InboundQueries.DeleteDeliveries, id);
            return true;
        },
        cancellationToken);

    /// <summary>The run that a delivery has made, or null.</summary>
    public async Task<string?> FindRunAsync(string webhookId, string deliveryKey, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await session.ScalarAsync<string>(InboundQueries.FindRun, webhookId, deliveryKey);
    }

    /// <summary>Notes that a delivery has made a run: from now on its id is spent.</summary>
    public Task AcceptAsync(string webhookId, AcceptedDelivery delivery, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.ExecuteAsync(
            InboundQueries.Accept, webhookId, delivery.Id, delivery.RunId, delivery.ReceivedAt.ToUnixTimeMilliseconds()),
        cancellationToken);

    /// <summary>What a webhook has accepted, newest first, before another delivery.</summary>
    /// <param name="before">Null = from the newest on.</param>
    public async Task<List<AcceptedDelivery>> ListDeliveriesAsync(
        string webhookId, (long ReceivedAt, string Id)? before, int limit, CancellationToken cancellationToken)
    {
        var page = new List<AcceptedDelivery>();
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(
            InboundQueries.ListDeliveries, webhookId, before?.ReceivedAt ?? long.MaxValue, before?.Id ?? "", (long)limit);
        while (await rows.ReadAsync(cancellationToken))
            page.Add(new AcceptedDelivery(rows.GetString(0), rows.GetString(1), DateTimeOffset.FromUnixTimeMilliseconds(rows.GetInt64(2))));

        return page;
    }

    /// <summary>Forgets deliveries that were received before; at most <paramref name="limit"/>.</summary>
    /// <returns>How many.</returns>
    public Task<int> ForgetAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) => database.WriteAsync(
        session => session.ExecuteAsync(InboundQueries.Forget, before.ToUnixTimeMilliseconds(), (long)limit), cancellationToken);

    private static async Task<InboundWebhook?> OneAsync(Session session, string sql, params object?[] values)
    {
        await using var row = await session.QueryAsync(sql, values);
        return await row.ReadAsync(session.CancellationToken) ? Read(row) : null;
    }

    private static long Mode(InboundOwner owner) => owner.IsTest ? 1 : 0;

    private static InboundWebhook Read(DbDataReader row) =>
        new(row.GetString(0), new InboundOwner(row.GetString(1), row.GetInt64(2) == 1), row.GetString(3), row.GetString(4), row.GetFieldValue<byte[]>(5))
        {
            Secret = row.GetFieldValue<byte[]>(6),
            PreviousSecret = row.IsDBNull(7) ? null : row.GetFieldValue<byte[]>(7),
            PreviousUntil = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(8)),
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(9)),
            RotationId = row.IsDBNull(10) ? null : row.GetString(10),
        };
}
