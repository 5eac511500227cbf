using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Webhooks.Delivery;
using OpenWop.Micro.Webhooks.Store;

namespace OpenWop.Micro.Webhooks.Intake;

/// <summary>Turns pages of the feed into deliveries.</summary>
internal sealed class IntakeStore([FromKeyedServices(WebhooksHosting.Service)] Database database, SubscriptionStore subscriptions, TimeProvider clock)
{
    private volatile SubscriptionBook book = new(0, []);

    /// <summary>The subscriptions as they are now.</summary>
    public async Task<SubscriptionBook> ReadBookAsync(CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await CurrentBookAsync(session);
    }

    /// <summary>How far a shard has been read.</summary>
    public async Task<long> ReadCursorAsync(int shard, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await session.ScalarAsync<long>(DeliveryQueries.Cursor, (long)shard);
    }

    /// <summary>
    /// Moves the cursor from one position to that of the page and writes what subscriptions want of it, both or nothing. The subscriptions
    /// are read after the page, so whoever was there when an event was committed gets it.
    /// </summary>
    /// <returns>How many deliveries were written; null = somebody else has moved the cursor.</returns>
    public Task<int?> AdvanceAsync(int shard, long from, ReadFeedReply page, CancellationToken cancellationToken) => database.WriteAsync<int?>(
        async session =>
        {
            if (await session.ExecuteAsync(DeliveryQueries.MoveCursor, (long)shard, from, page.Position) == 0)
                return null;

            var current = await CurrentBookAsync(session);
            var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
            var lanes = new SortedDictionary<(string Webhook, string Run), long>(Comparer<(string Webhook, string Run)>.Create(CompareLanes));
            var count = 0;
            foreach (var @event in page.Events)
            {
                byte[]? body = null;
                foreach (var subscription in current.Find(shard, @event))
                {
                    body ??= DeliveryBody.Write(@event.RunId, @event.Tenant, @event.Type, @event.Document.Span);
                    session.Enqueue(
                        DeliveryQueries.InsertDelivery,
                        DeliveryBody.IdOf(subscription.Id, @event.RunId, @event.Sequence), subscription.Id, @event.RunId, @event.Sequence, @event.Type, body, now);
                    var lane = (subscription.Id, @event.RunId);
                    lanes[lane] = lanes.GetValueOrDefault(lane) + 1;
                    count++;
                }
            }

            foreach (var ((webhook, run), pending) in lanes)
                session.Enqueue(DeliveryQueries.ExtendLane, webhook, run, now, pending);

            return count;
        },
        cancellationToken);

    private static int CompareLanes((string Webhook, string Run) a, (string Webhook, string Run) b) =>
        string.CompareOrdinal(a.Webhook, b.Webhook) is var webhook and not 0 ? webhook : string.CompareOrdinal(a.Run, b.Run);

    private async Task<SubscriptionBook> CurrentBookAsync(Session session)
    {
        var revision = await session.ScalarAsync<long>(SubscriptionQueries.Revision);
        if (book is { } known && known.Revision == revision)
            return known;

        return book = new SubscriptionBook(revision, await subscriptions.ReadAllAsync(session));
    }
}
