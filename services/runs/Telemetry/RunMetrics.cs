using System.Diagnostics.Metrics;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Telemetry;

/// <summary>The metrics of the protocol (spec/runs-streams-replay.md 9.3). Times are seconds; no metric names a run.</summary>
internal sealed class RunMetrics
{
    private readonly Counter<long> _created;
    private readonly Counter<long> _completed;
    private readonly UpDownCounter<long> _active;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _nodes;
    private readonly Counter<long> _attempts;
    private readonly Histogram<double> _nodeDuration;
    private readonly Counter<long> _caps;
    private readonly Counter<long> _interrupts;
    private readonly Histogram<double> _interruptDuration;
    private readonly Counter<double> _cost;
    private readonly Counter<long> _tokens;

    public RunMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(RunTelemetry.Name);
        _created = meter.CreateCounter<long>("openwop.run.created");
        _completed = meter.CreateCounter<long>("openwop.run.completed");
        _active = meter.CreateUpDownCounter<long>("openwop.run.active");
        _duration = Histogram(meter, "openwop.run.duration", [0.5, 1, 2.5, 5, 10, 30, 60, 300, 600, 1800, 3600]);
        _nodes = meter.CreateCounter<long>("openwop.node.completed");
        _attempts = meter.CreateCounter<long>("openwop.node.attempts", description: "Retries only.");
        _nodeDuration = Histogram(meter, "openwop.node.duration", [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60]);
        _caps = meter.CreateCounter<long>("openwop.cap.exceeded");
        _interrupts = meter.CreateCounter<long>("openwop.interrupt.requested");
        _interruptDuration = Histogram(meter, "openwop.interrupt.duration", [60, 300, 900, 1800, 3600, 14400, 86400, 604800]);
        _cost = meter.CreateCounter<double>("openwop.cost.usd");
        _tokens = meter.CreateCounter<long>("openwop.activity.tokens");
    }

    public bool IsEnabled => _created.Enabled;

    public void Created()
    {
        _created.Add(1);
        _active.Add(1);
    }

    public void Ended(string status, RunState state)
    {
        _completed.Add(1, new KeyValuePair<string, object?>("openwop.run_status", status));
        _active.Add(-1);
        if (state.EndedAt is { } ended)
            _duration.Record((ended - state.StartedAt).TotalSeconds, new KeyValuePair<string, object?>("openwop.run_status", status));
        if (state.Cost is not { } cost)
            return;

        if (cost.Usd is { } usd)
            _cost.Add(usd);
        _tokens.Add(cost.InputTokens, new KeyValuePair<string, object?>("direction", "input"));
        _tokens.Add(cost.OutputTokens, new KeyValuePair<string, object?>("direction", "output"));
    }

    public void NodeCompleted(string typeId) => _nodes.Add(1, Type(typeId));

    public void Retried(string typeId) => _attempts.Add(1, Type(typeId));

    public void AttemptEnded(string typeId, TimeSpan elapsed) => _nodeDuration.Record(Math.Max(0, elapsed.TotalSeconds), Type(typeId));

    public void CapExceeded(string kind) => _caps.Add(1, new KeyValuePair<string, object?>("openwop.cap_kind", kind));

    public void InterruptRequested(string kind) => _interrupts.Add(1, new KeyValuePair<string, object?>("openwop.interrupt_kind", kind));

    public void InterruptResolved(string kind, TimeSpan elapsed) =>
        _interruptDuration.Record(Math.Max(0, elapsed.TotalSeconds), new KeyValuePair<string, object?>("openwop.interrupt_kind", kind));

    private static KeyValuePair<string, object?> Type(string typeId) => new("openwop.node_type", typeId);

    private static Histogram<double> Histogram(Meter meter, string name, IReadOnlyList<double> boundaries) =>
        meter.CreateHistogram(name, unit: "s", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = boundaries });
}
