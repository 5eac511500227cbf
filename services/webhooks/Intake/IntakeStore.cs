using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Webhooks.Delivery;
using OpenWop.Micro.Webhooks.Store;
using OpenWop.Micro.Webhooks.Triggers;
using OpenWop.Micro.Webhooks.Triggers.Store;

namespace OpenWop.Micro.Webhooks.Intake;

/// <summary>Turns pages of the feed into deliveries and firings.</summary>
internal sealed class IntakeStore(
    [FromKeyedServices(WebhooksHosting.Service)] Database database, SubscriptionStore subscriptions, TriggerOptions triggerOptions, TimeProvider clock)
{
    private volatile Interests interests = Interests.None;

    /// <summary>Who wants to hear of events now.</summary>
    public async Task<Interests> ReadInterestsAsync(CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await CurrentAsync(session);
    }

    /// <summary>How far a shard has been read.</summary>
    public async Task<long> ReadCursorAsync(int shard, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await session.ScalarAsync<long>(DeliveryQueries.Cursor, (long)shard);
    }

    /// <summary>
    /// Moves the cursor from one position to that of the page and writes what subscriptions and triggers want of it, both or nothing. They
    /// are read after the page, so whoever was there when an event was committed gets it.
    /// </summary>
    /// <returns>What was written; null = somebody else has moved the cursor.</returns>
    public Task<Intake?> AdvanceAsync(int shard, long from, ReadFeedReply page, CancellationToken cancellationToken) => database.WriteAsync<Intake?>(
        async session =>
        {
            if (await session.ExecuteAsync(DeliveryQueries.MoveCursor, (long)shard, from, page.Position) == 0)
                return null;

            var current = await CurrentAsync(session);
            var deliveries = WriteDeliveries(session, current.Subscriptions, shard, page, clock.GetUtcNow().ToUnixTimeMilliseconds());
            var firings = await FiringIntake.WriteAsync(session, current.Triggers, shard, page, triggerOptions.MaxDepth, clock.GetUtcNow());
            return new Intake(deliveries, firings);
        },
        cancellationToken);

    private static int WriteDeliveries(WriteSession session, SubscriptionBook book, int shard, ReadFeedReply page, long now)
    {
        var lanes = new SortedDictionary<(string Webhook, string Run), long>(Comparer<(string Webhook, string Run)>.Create(CompareLanes));
        var count = 0;
        foreach (var @event in page.Events)
        {
            byte[]? body = null;
            foreach (var subscription in book.Find(shard, @event))
            {
                body ??= DeliveryBody.Write(@event.RunId, @event.Tenant, @event.Type, @event.Document.Span);
                session.Enqueue(
                    DeliveryQueries.InsertDelivery,
                    DeliveryBody.IdOf(subscription.Id, @event.RunId, @event.Sequence), subscription.Id, @event.RunId, @event.Sequence, @event.Type, body, now,
                    @event.Traceparent.Length > 0 ? @event.Traceparent : null);
                var lane = (subscription.Id, @event.RunId);
                lanes[lane] = lanes.GetValueOrDefault(lane) + 1;
                count++;
            }
        }

        foreach (var ((webhook, run), pending) in lanes)
            session.Enqueue(DeliveryQueries.ExtendLane, webhook, run, now, pending);

        return count;
    }

    private static int CompareLanes((string Webhook, string Run) a, (string Webhook, string Run) b) =>
        string.CompareOrdinal(a.Webhook, b.Webhook) is var webhook and not 0 ? webhook : string.CompareOrdinal(a.Run, b.Run);

    private async Task<Interests> CurrentAsync(Session session)
    {
        var revision = await session.ScalarAsync<long>(SubscriptionQueries.Revision);
        if (interests is { } known && known.Revision == revision)
            return known;

        return interests = new Interests(
            revision, new SubscriptionBook(await subscriptions.ReadAllAsync(session)), new TriggerBook(await TriggerStore.ReadActiveAsync(session)));
    }
}
