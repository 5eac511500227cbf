using System.Collections.Concurrent;
using OpenWop.Micro.Events;
using OpenWop.Micro.Webhooks.Store;
using OpenWop.Micro.Webhooks.Telemetry;

namespace OpenWop.Micro.Webhooks.Delivery;

/// <summary>
/// Sends what is due, as one of any number of workers.
/// </summary>
/// <remarks>
/// <list type="number">
/// <item>A round begins when something was written, a slot has become free, or the time has come that the last round named.</item>
/// <item>It asks which subscriptions have lanes that are due, and claims as many lanes of each as there are slots: a few per subscription,
/// one where the last attempt failed or a circuit wants to be probed. So a receiver that hangs holds its own slots and nobody else's.
/// Each round begins with another subscription.</item>
/// <item>A claimed lane is sent in order, one delivery after the other, each settled before the next; after some it is given back, for
/// others to have their turn.</item>
/// <item>A claim that is not settled ends by itself: whatever a worker had in hand when it died is sent again, under the same id.</item>
/// </list>
/// </remarks>
internal sealed partial class Dispatcher : BackgroundService
{
    /// <summary>Topic that tells workers of new deliveries.</summary>
    public const string Topic = "webhooks/due";

    /// <summary>Deliveries of a lane in one claim.</summary>
    private const int MaxPerClaim = 16;

    /// <summary>When nothing else says so, a round comes anyway: notifications may get lost.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, int> inFlight = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, bool> work = new();
    private readonly Bell bell = new(isRung: true);
    private readonly LaneStore lanes;
    private readonly Settlements settlements;
    private readonly DeliverySender sender;
    private readonly WebhookOptions options;
    private readonly IEventBus bus;
    private readonly WebhookMetrics metrics;
    private readonly TimeProvider clock;
    private readonly ILogger<Dispatcher> logger;
    private readonly ITimer timer;
    private int slotsTaken;
    private int rounds;
    private volatile bool stopping;

    public Dispatcher(
        LaneStore lanes, Settlements settlements, DeliverySender sender, WebhookOptions options, IEventBus bus, WebhookMetrics metrics, TimeProvider clock, ILogger<Dispatcher> logger)
    {
        (this.lanes, this.settlements, this.sender, this.options, this.bus, this.metrics, this.clock, this.logger) =
            (lanes, settlements, sender, options, bus, metrics, clock, logger);
        timer = clock.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>There is something to send.</summary>
    public void Wake() => bell.Ring();

    /// <summary>Lets what is under way come to its end; a claim that does not make it ends by itself.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        stopping = true;
        await base.StopAsync(cancellationToken);
        await Task.WhenAll(work.Keys).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public override void Dispose()
    {
        timer.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(DispatchAsync(stoppingToken), ListenAsync(stoppingToken));

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        await using var subscription = await bus.SubscribeAsync(Topic, stoppingToken);
        await foreach (var _ in subscription.ReadAllAsync(stoppingToken))
            Wake();
    }

    /// <summary>1.</summary>
    private async Task DispatchAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await bell.WaitAsync(stoppingToken);
            var pause = PauseAfterFailure;
            try
            {
                pause = await RoundAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                Log.RoundFailed(logger, exception);
            }

            timer.Change(pause, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>2. Returns how long the next round may wait.</summary>
    private async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var nowMs = now.ToUnixTimeMilliseconds();
        var busy = await lanes.FindBusyAsync(cancellationToken);
        var next = nowMs + (long)LongestPause.TotalMilliseconds;
        var slots = options.Slots - Volatile.Read(ref slotsTaken);
        var wanted = new List<Wanted>();
        var first = busy.Count == 0 ? 0 : (rounds = unchecked(rounds + 1) & int.MaxValue) % busy.Count;
        for (var i = 0; i < busy.Count && slots > 0; i++)
        {
            var subscription = busy[(first + i) % busy.Count];
            var dueAt = Math.Max(subscription.DueAt, subscription.BlockedUntil);
            if (dueAt > nowMs)
            {
                next = Math.Min(next, dueAt);
                continue;
            }

            var most = subscription is { BlockedUntil: 0, ConsecutiveFailures: 0 } ? options.Concurrency : 1;
            var count = Math.Min(most - inFlight.GetValueOrDefault(subscription.Id), slots);
            if (count > 0)
            {
                wanted.Add(new Wanted(subscription.Id, count, subscription.BlockedUntil));
                slots -= count;
            }
        }

        if (wanted.Count > 0)
        {
            wanted.Sort((a, b) => string.CompareOrdinal(a.SubscriptionId, b.SubscriptionId));
            foreach (var (lane, head) in await lanes.ClaimAsync(wanted, now, cancellationToken))
                Start(lane, head);
        }

        return TimeSpan.FromMilliseconds(Math.Max(1, next - clock.GetUtcNow().ToUnixTimeMilliseconds()));
    }

    private void Start(LaneClaim lane, PendingDelivery head)
    {
        Interlocked.Increment(ref slotsTaken);
        inFlight.AddOrUpdate(lane.Subscription.Id, 1, (_, count) => count + 1);
        var task = Task.Run(() => SendAllAsync(lane, head));
        work[task] = true;
        _ = task.ContinueWith(done => work.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task SendAllAsync(LaneClaim lane, PendingDelivery head)
    {
        try
        {
            PendingDelivery? delivery = head;
            for (var count = 1; delivery is not null; count++)
                delivery = await SendAsync(lane, delivery, mayGoOn: count < MaxPerClaim && !stopping);
        }
        catch (Exception exception)
        {
            Log.LaneFailed(logger, exception, lane.Subscription.Id, lane.RunId);
        }
        finally
        {
            Interlocked.Decrement(ref slotsTaken);
            if (inFlight.AddOrUpdate(lane.Subscription.Id, 0, (_, count) => count - 1) == 0)
                inFlight.TryRemove(KeyValuePair.Create(lane.Subscription.Id, 0));

            Wake();
        }
    }

    /// <summary>3. Sends and settles; returns the next delivery of the lane if this worker goes on with it.</summary>
    private async Task<PendingDelivery?> SendAsync(LaneClaim lane, PendingDelivery delivery, bool mayGoOn)
    {
        var attempt = await sender.SendAsync(lane.Subscription, delivery);
        var number = delivery.Attempts + 1;
        var delay = attempt.Succeeded ? null : options.Retries.DelayAfter(number, Random.Shared.NextDouble());
        if (!attempt.Succeeded)
            Log.AttemptFailed(logger, lane.Subscription.Id, delivery.Id, number, attempt.Error, attempt.StatusCode, delay is null);

        var keeps = mayGoOn && attempt.Succeeded;
        var settled = await settlements.StoreAsync(new Settlement(lane, delivery, attempt, clock.GetUtcNow() + delay, keeps));
        if (settled.IsLost)
            Log.ClaimLost(logger, lane.Subscription.Id, delivery.Id);

        metrics.Attempted(attempt, (clock.GetUtcNow() - delivery.CreatedAt).TotalSeconds, isGivenUp: delay is null);

        return keeps && settled is { IsLost: false, Waiting: > 0 }
            ? await lanes.FindHeadAsync(lane.Subscription.Id, lane.RunId, CancellationToken.None)
            : null;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "A round of deliveries failed")]
        public static partial void RoundFailed(ILogger logger, Exception exception);

        [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "Webhook {WebhookId}: the events of run {RunId} could not be sent now; they are tried again")]
        public static partial void LaneFailed(ILogger logger, Exception exception, string webhookId, string runId);

        [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "Webhook {WebhookId}: attempt {Attempt} of delivery {DeliveryId} failed ({Error}, status {Status}); given up: {GivenUp}")]
        public static partial void AttemptFailed(ILogger logger, string webhookId, string deliveryId, int attempt, string error, int status, bool givenUp);

        [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "Webhook {WebhookId}: delivery {DeliveryId} took longer than its claim and may arrive twice")]
        public static partial void ClaimLost(ILogger logger, string webhookId, string deliveryId);
    }
}
