using OpenWop.Micro.Storage;
using OpenWop.Micro.Webhooks.Delivery;
using OpenWop.Micro.Webhooks.Store;
using OpenWop.Micro.Webhooks.Subscriptions;

namespace OpenWop.Micro.Webhooks.Retention;

/// <summary>
/// Removes what has been kept for long enough, some rows at a time: what was delivered, dead letters, and whatever a subscription left
/// behind that was deleted. What waits for too long becomes a dead letter, and so does what a failed subscription still had.
/// </summary>
internal sealed partial class Sweeper(
    [FromKeyedServices(WebhooksHosting.Service)] Database database, WebhookOptions options, TimeProvider clock, ILogger<Sweeper> logger) : BackgroundService
{
    private const int BatchSize = 500;

    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    /// <summary>One sweep; the service does the same by itself.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await RemoveAsync(SweepQueries.DeleteSettled, [DeliveryStatus.Delivered, (now - options.Delivered).ToUnixTimeMilliseconds(), (long)BatchSize], cancellationToken);
        await RemoveAsync(SweepQueries.DeleteSettled, [DeliveryStatus.Dead, (now - options.DeadLetters).ToUnixTimeMilliseconds(), (long)BatchSize], cancellationToken);
        foreach (var (webhookId, status) in await OwnersAsync(cancellationToken))
        {
            // Before the deliveries, by which they are found.
            if (status is null or SubscriptionStatus.Failed)
                await database.WriteAsync(session => session.ExecuteAsync(SweepQueries.DeleteLanes, webhookId), cancellationToken);

            if (status is null)
                await RemoveAsync(SweepQueries.DeleteOfNobody, [webhookId, (long)BatchSize], cancellationToken);
            else
                await GiveUpAsync(webhookId, status == SubscriptionStatus.Failed ? now.AddDays(1) : now - options.DeadLetters, cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SweepAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                Log.SweepFailed(logger, exception);
            }
        }
    }

    private async Task<List<(string WebhookId, string? Status)>> OwnersAsync(CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(SweepQueries.Owners);
        var owners = new List<(string, string?)>();
        while (await rows.ReadAsync(cancellationToken))
            owners.Add((rows.GetString(0), rows.IsDBNull(1) ? null : rows.GetString(1)));

        return owners;
    }

    /// <summary>Removes deliveries with their attempts, until there are no more.</summary>
    private async Task RemoveAsync(string sql, object?[] values, CancellationToken cancellationToken)
    {
        int removed;
        do
        {
            removed = await database.WriteAsync(
                async session =>
                {
                    var ids = await TextsAsync(session, sql, values);
                    foreach (var id in ids)
                        session.Enqueue(SweepQueries.DeleteAttempts, id);

                    return ids.Count;
                },
                cancellationToken);
        }
        while (removed == BatchSize);
    }

    private async Task GiveUpAsync(string webhookId, DateTimeOffset before, CancellationToken cancellationToken)
    {
        int givenUp;
        do
        {
            givenUp = await database.WriteAsync(
                async session =>
                {
                    var runs = await TextsAsync(
                        session, SweepQueries.GiveUp, webhookId, before.ToUnixTimeMilliseconds(), clock.GetUtcNow().ToUnixTimeMilliseconds(), (long)BatchSize);
                    foreach (var run in runs.Order(StringComparer.Ordinal))
                        session.Enqueue(SweepQueries.ShortenLane, webhookId, run);

                    foreach (var run in runs.Distinct(StringComparer.Ordinal))
                        session.Enqueue(DeliveryQueries.DropEmptyLane, webhookId, run);

                    return runs.Count;
                },
                cancellationToken);
        }
        while (givenUp == BatchSize);
    }

    private static async Task<List<string>> TextsAsync(WriteSession session, string sql, params object?[] values)
    {
        await using var rows = await session.QueryAsync(sql, values);
        var texts = new List<string>();
        while (await rows.ReadAsync(session.CancellationToken))
            texts.Add(rows.GetString(0));

        return texts;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "Old deliveries could not be removed; the next sweep tries again")]
        public static partial void SweepFailed(ILogger logger, Exception exception);
    }
}
