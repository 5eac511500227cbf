using OpenWop.Micro.Storage;
using OpenWop.Micro.Webhooks.Subscriptions;

namespace OpenWop.Micro.Webhooks.Store;

/// <summary>What became of the attempt to store a subscription.</summary>
internal enum InsertOutcome
{
    Stored,

    /// <summary>The request has made one before.</summary>
    Repeated,

    /// <summary>The tenant has as many as it may.</summary>
    Full,
}

/// <summary>Subscriptions as callers make, read and change them. Every change moves the revision on in its transaction.</summary>
internal sealed class SubscriptionStore([FromKeyedServices(WebhooksHosting.Service)] Database database, WebhookOptions options)
{
    public async Task<Subscription?> FindAsync(SubscriptionOwner owner, string id, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await OneAsync(session, SubscriptionQueries.Find, id, owner.Tenant, SubscriptionRows.Mode(owner));
    }

    /// <summary>The subscription that a request has made.</summary>
    public async Task<Subscription?> FindByRequestAsync(string tenant, string requestId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await OneAsync(session, SubscriptionQueries.FindByRequest, tenant, requestId);
    }

    /// <summary>Subscriptions of an owner after an id, in the order of ids.</summary>
    public async Task<List<Subscription>> ListAsync(SubscriptionOwner owner, string after, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(SubscriptionQueries.List, owner.Tenant, SubscriptionRows.Mode(owner), after, (long)limit);
        var page = new List<Subscription>();
        while (await rows.ReadAsync(cancellationToken))
            page.Add(SubscriptionRows.Read(rows, options.Circuit));

        return page;
    }

    /// <param name="requestId">The request that makes it; null = none.</param>
    public Task<InsertOutcome> InsertAsync(Subscription subscription, string? requestId, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            // Takes the lock of the revision first, so that two of the last free place come one after the other.
            await session.ExecuteAsync(SubscriptionQueries.NextRevision);
            if (requestId is not null && await OneAsync(session, SubscriptionQueries.FindByRequest, subscription.Owner.Tenant, requestId) is not null)
                return InsertOutcome.Repeated;

            if (await session.ScalarAsync<long>(SubscriptionQueries.CountUpTo, subscription.Owner.Tenant, options.MaxPerTenant) >= options.MaxPerTenant)
                return InsertOutcome.Full;

            return await session.ExecuteAsync(
                SubscriptionQueries.Insert,
                subscription.Id,
                subscription.Owner.Tenant,
                SubscriptionRows.Mode(subscription.Owner),
                requestId,
                subscription.Url,
                SubscriptionRows.Texts(subscription.Filter.Events),
                SubscriptionRows.Texts(subscription.Filter.Tags),
                subscription.Secret,
                subscription.Fingerprint,
                SubscriptionRows.Numbers(subscription.Positions),
                subscription.CreatedAt.ToUnixTimeMilliseconds()) == 1
                    ? InsertOutcome.Stored
                    : InsertOutcome.Repeated;
        },
        cancellationToken);

    /// <summary>What it still had to deliver goes when the sweeper comes by; nothing of it is sent any more.</summary>
    /// <returns>False = there is none.</returns>
    public Task<bool> DeleteAsync(SubscriptionOwner owner, string id, CancellationToken cancellationToken) =>
        ChangeAsync(SubscriptionQueries.Delete, [id, owner.Tenant, SubscriptionRows.Mode(owner)], cancellationToken);

    /// <returns>False = there is none, or it has failed for good.</returns>
    public Task<bool> SetStatusAsync(SubscriptionOwner owner, string id, string status, CancellationToken cancellationToken) =>
        ChangeAsync(SubscriptionQueries.SetStatus, [id, owner.Tenant, SubscriptionRows.Mode(owner), status], cancellationToken);

    /// <param name="previousUntil">Until when the present secret signs too.</param>
    /// <param name="requestId">The request that asks for it; null = none. One that comes again changes nothing.</param>
    /// <returns>The subscription as it is now; null = there is none.</returns>
    public Task<Subscription?> SetSecretAsync(
        Subscription subscription, byte[] secret, string fingerprint, DateTimeOffset previousUntil, string? requestId, CancellationToken cancellationToken)
    {
        object?[] key = [subscription.Id, subscription.Owner.Tenant, SubscriptionRows.Mode(subscription.Owner)];
        return database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync(SubscriptionQueries.NextRevision);
                await session.ExecuteAsync(SubscriptionQueries.SetSecret, [.. key, previousUntil.ToUnixTimeMilliseconds(), secret, fingerprint, requestId]);
                return await OneAsync(session, SubscriptionQueries.Find, key);
            },
            cancellationToken);
    }

    /// <summary>Subscriptions of everybody after an id.</summary>
    public async Task<List<Subscription>> ListAllAsync(string after, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(SubscriptionQueries.ListAll, after, (long)limit);
        var page = new List<Subscription>();
        while (await rows.ReadAsync(cancellationToken))
            page.Add(SubscriptionRows.Read(rows, options.Circuit));

        return page;
    }

    /// <summary>Stores the same secrets sealed with another key.</summary>
    public Task SealAgainAsync(Subscription before, byte[] secret, byte[]? previousSecret, CancellationToken cancellationToken) =>
        ChangeAsync(SubscriptionQueries.SealAgain, [before.Id, before.Secret, secret, previousSecret], cancellationToken);

    /// <summary>All that have not failed, in pages by id.</summary>
    public async Task<List<Subscription>> ReadAllAsync(Session session)
    {
        const int PageSize = 1000;
        var all = new List<Subscription>();
        for (var after = ""; ; after = all[^1].Id)
        {
            var before = all.Count;
            await using (var rows = await session.QueryAsync(SubscriptionQueries.All, after, (long)PageSize))
            {
                while (await rows.ReadAsync(session.CancellationToken))
                    all.Add(SubscriptionRows.Read(rows, options.Circuit));
            }

            if (all.Count - before < PageSize)
                return all;
        }
    }

    private Task<bool> ChangeAsync(string sql, object?[] values, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            await session.ExecuteAsync(SubscriptionQueries.NextRevision);
            return await session.ExecuteAsync(sql, values) == 1;
        },
        cancellationToken);

    private async Task<Subscription?> OneAsync(Session session, string sql, params object?[] values)
    {
        await using var row = await session.QueryAsync(sql, values);
        return await row.ReadAsync(session.CancellationToken) ? SubscriptionRows.Read(row, options.Circuit) : null;
    }
}
