using System.Diagnostics.Metrics;
using OpenWop.Micro.Webhooks.Delivery;
using OpenWop.Micro.Webhooks.Triggers;

namespace OpenWop.Micro.Webhooks.Telemetry;

/// <summary>The service's numbers (docs/observability.md). Times are seconds; none names a tenant, a webhook or a run.</summary>
internal sealed class WebhookMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "OpenWop.Webhooks";

    private static readonly double[] Buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300, 3600, 86_400];

    private readonly Meter meter;
    private readonly Counter<long> attempts;
    private readonly Histogram<double> duration;
    private readonly Histogram<double> lag;
    private readonly Counter<long> dead;
    private readonly Counter<long> received;
    private readonly Counter<long> firings;

    public WebhookMetrics(IMeterFactory meters)
    {
        meter = meters.Create(MeterName);
        attempts = meter.CreateCounter<long>("openwop.webhook.attempts", "{attempt}", "Attempts to deliver, by outcome.");
        duration = meter.CreateHistogram("openwop.webhook.attempt.duration", "s", "Time of an attempt.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = Buckets });
        lag = meter.CreateHistogram("openwop.webhook.delivery.lag", "s", "Time from the intake of an event to its delivery.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = Buckets });
        dead = meter.CreateCounter<long>("openwop.webhook.dead_letters", "{delivery}", "Deliveries that were given up.");
        received = meter.CreateCounter<long>("openwop.webhook.received", "{delivery}", "Deliveries of others that were accepted, by whether they came again.");
        firings = meter.CreateCounter<long>("openwop.trigger.firings", "{firing}", "Events for triggers, by what became of them.");
        IsQueueWatched = meter.CreateObservableGauge("openwop.webhook.queue.depth", () => Depth, "{delivery}", "Deliveries that wait, of all workers together; of one webhook at most 10000 are counted.");
        meter.CreateObservableGauge("openwop.webhook.queue.delay", () => Delay, "s", "For how long the delivery has been due that is due for the longest.");
    }

    /// <summary>Enabled when somebody collects what <see cref="QueueProbe"/> finds out.</summary>
    public Instrument IsQueueWatched { get; }

    /// <summary>Deliveries that wait.</summary>
    public long Depth { get; set; }

    /// <summary>Seconds.</summary>
    public double Delay { get; set; }

    /// <param name="lagSeconds">Since the event was taken in.</param>
    /// <param name="isGivenUp">Whether this was the last attempt.</param>
    public void Attempted(Attempt attempt, double lagSeconds, bool isGivenUp)
    {
        var outcome = new KeyValuePair<string, object?>("openwop.webhook.outcome", attempt.Succeeded ? DeliveryStatus.Delivered : attempt.Error);
        attempts.Add(1, outcome);
        duration.Record(attempt.Duration.TotalSeconds, outcome);
        if (attempt.Succeeded)
            lag.Record(Math.Max(0, lagSeconds));
        else if (isGivenUp)
            dead.Add(1);
    }

    public void Received(bool isRepeat) => received.Add(1, new KeyValuePair<string, object?>("openwop.webhook.repeated", isRepeat));

    public void Fired(FiringStatus status)
    {
        if (status != FiringStatus.Pending)
            firings.Add(1, new KeyValuePair<string, object?>("openwop.trigger.outcome", Firing.NameOf(status)));
    }

    public void Dispose() => meter.Dispose();
}
