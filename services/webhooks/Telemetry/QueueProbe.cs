using OpenWop.Micro.Webhooks.Store;

namespace OpenWop.Micro.Webhooks.Telemetry;

/// <summary>Looks now and then at what waits, while somebody collects it. The table knows: what a process counts by itself is wrong after a crash.</summary>
internal sealed partial class QueueProbe(
    LaneStore lanes, DeliveryHistory history, WebhookMetrics metrics, TimeProvider clock, ILogger<QueueProbe> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    /// <summary>One look; the service does the same by itself.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var (depth, dueAt) = (0L, long.MaxValue);
        foreach (var subscription in await lanes.FindBusyAsync(cancellationToken))
        {
            depth += await history.CountPendingAsync(subscription.Id, cancellationToken);
            dueAt = Math.Min(dueAt, Math.Max(subscription.DueAt, subscription.BlockedUntil));
        }

        metrics.Depth = depth;
        metrics.Delay = dueAt == long.MaxValue ? 0 : Math.Max(0, (clock.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(dueAt)).TotalSeconds);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (metrics.IsQueueWatched.Enabled)
                    await LookAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                Log.LookFailed(logger, exception);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5020, Level = LogLevel.Warning, Message = "The queue of deliveries could not be looked at.")]
        public static partial void LookFailed(ILogger logger, Exception exception);
    }
}
