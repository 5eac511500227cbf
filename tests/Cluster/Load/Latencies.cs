using System.Collections.Concurrent;
using System.Globalization;

namespace OpenWop.Micro.Cluster.Tests.Load;

/// <summary>How long something took, each time.</summary>
internal sealed class Latencies
{
    private readonly ConcurrentQueue<double> _milliseconds = new();

    public double Median => At(0.5);

    public double Worst => At(1);

    public void Add(TimeSpan time) => _milliseconds.Enqueue(time.TotalMilliseconds);

    /// <summary>Milliseconds that a share of all times does not exceed.</summary>
    public double At(double share)
    {
        double[] sorted = [.. _milliseconds.Order()];
        return sorted.Length == 0 ? double.NaN : sorted[Math.Max(0, (int)Math.Ceiling(sorted.Length * share) - 1)];
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{_milliseconds.Count} times, median {Median:F0} ms, p99 {At(0.99):F0} ms, worst {Worst:F0} ms");
}
