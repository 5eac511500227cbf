using System.Diagnostics.Metrics;

namespace OpenWop.Micro.Gateway;

/// <summary>The gateway's own numbers, beside those of the framework.</summary>
internal sealed class GatewayMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "OpenWop.Gateway";

    private readonly Meter _meter;
    private readonly Histogram<double> _duration;
    private readonly UpDownCounter<int> _streams;

    public GatewayMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _duration = _meter.CreateHistogram<double>("openwop.gateway.operation.duration", "s", "Time from the call of an operation to its answer.");
        _streams = _meter.CreateUpDownCounter<int>("openwop.gateway.streams", "{stream}", "Event streams that are open.");
    }

    public void Completed(string operation, int status, TimeSpan elapsed)
    {
        if (_duration.Enabled)
            _duration.Record(elapsed.TotalSeconds, new("openwop.operation", operation), new("http.response.status_code", status));
    }

    public void StreamOpened() => _streams.Add(1);

    public void StreamClosed() => _streams.Add(-1);

    public void Dispose() => _meter.Dispose();
}
