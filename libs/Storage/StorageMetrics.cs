using System.Diagnostics.Metrics;

namespace OpenWop.Micro.Storage;

/// <summary>The meter of this library; export it by its name.</summary>
public static class StorageMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "OpenWop.Micro.Storage";

    internal static readonly Meter Meter = new(MeterName);

    internal static readonly Histogram<double> CommitSeconds = Meter.CreateHistogram(
        "openwop.storage.commit.duration",
        "s",
        "Time of one group commit, from the start of its transaction until it is durable.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5] });

    internal static readonly Histogram<int> BatchSize = Meter.CreateHistogram(
        "openwop.storage.commit.batch_size",
        "{item}",
        "Items that shared one group commit.",
        advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] });

    internal static readonly UpDownCounter<int> QueueDepth = Meter.CreateUpDownCounter<int>(
        "openwop.storage.commit.queue_depth", "{item}", "Items submitted and not yet committed.");

    internal static readonly Counter<long> Conflicts = Meter.CreateCounter<long>(
        "openwop.storage.conflicts", "{transaction}", "Transactions that were rolled back because of others, and repeated.");

    internal static readonly Counter<long> FailedItems = Meter.CreateCounter<long>(
        "openwop.storage.commit.failed_items", "{item}", "Items that failed to commit.");
}
