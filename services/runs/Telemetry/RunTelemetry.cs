using System.Diagnostics;
using System.Diagnostics.Metrics;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Store;

namespace OpenWop.Micro.Runs.Telemetry;

/// <summary>
/// Spans and metrics of runs, made from what was committed (spec/runs-streams-replay.md 9.2 and 9.3): one span per attempt, one per
/// interrupt, and one per run when it ends. Only ids and figures, no values of the run. Nothing is made while nobody listens.
/// </summary>
internal sealed class RunTelemetry(IMeterFactory meters)
{
    public const string Name = "OpenWop.Runs";

    private const string ProtocolVersion = "1.1";

    private static readonly ActivitySource Spans = new(Name);

    private readonly RunMetrics _metrics = new(meters);

    /// <summary>Whether somebody collects spans.</summary>
    public static bool IsTracing => Spans.HasListeners();

    /// <summary>
    /// The trace of a run that is started by this call: the one that the client names, else that of the call if somebody collects here;
    /// null = none.
    /// </summary>
    public static string? TraceOf(string traceparent) =>
        SpanIdentity.Parse(traceparent) is not null ? traceparent : IsTracing ? Activity.Current?.Id ?? SpanIdentity.NewTraceparent() : null;

    public void Committed(RunAppend append)
    {
        if (append.State.Options is not { } options || (!IsTracing && !_metrics.IsEnabled))
            return;

        var run = new RunTrace(append.Lease.RunId, append.State, options);
        if (append.Creation is not null)
            _metrics.Created();
        foreach (var @event in append.Events)
            Observe(run, append, @event);
    }

    /// <summary>
    /// Makes what an attempt does outside part of its span, whether or not somebody collects spans here: others may. Dispose when it is over.
    /// </summary>
    public static IDisposable? Enter(string runId, RunOptions? options, string nodeId, int iteration, int attempt)
    {
        if (options is null || SpanIdentity.WithinAttempt(runId, options, nodeId, iteration, attempt) is not { } context)
            return null;

        // Stands for the span of the attempt, which is written when the attempt is over; it is not recorded itself.
        var stand = new Activity("openwop.node").SetParentId(context.TraceId, SpanIdentity.OfRun(runId), context.TraceFlags).Start();
        ActivityIds.Assign(stand, context.SpanId);
        return stand;
    }

    private void Observe(RunTrace run, RunAppend append, RunEvent @event)
    {
        switch (@event.Body)
        {
            case NodeStarted started:
                run.Started(started, @event.Timestamp);
                break;
            case NodeCompleted completed:
                Ended(run, append, completed.Node, @event, ActivityStatusCode.Unset, completed.Cost);
                _metrics.NodeCompleted(run.TypeOf(append, completed.Node));
                break;
            case NodeFailed failed:
                Ended(run, append, failed.Node, @event, ActivityStatusCode.Error, failed.Cost);
                break;
            case NodeRetried retried:
                Ended(run, append, retried.Node, @event, ActivityStatusCode.Error, retried.Cost);
                _metrics.Retried(run.TypeOf(append, retried.Node));
                break;
            case NodeCancelled cancelled:
                Ended(run, append, cancelled.Node, @event, ActivityStatusCode.Unset, cost: null);
                break;
            case CapBreached breached:
                run.Cap = breached;
                _metrics.CapExceeded(breached.Kind);
                break;
            case InterruptRequested requested:
                _metrics.InterruptRequested(requested.Interrupt.Kind);
                break;
            case InterruptResolved resolved:
                Resolved(run, append, resolved, @event);
                break;
            case RunCompleted or RunFailed or RunCancelled:
                Ended(run, @event);
                _metrics.Ended(RunSnapshot.StatusOf(append.State), run.State);
                break;
        }
    }

    private void Ended(RunTrace run, RunAppend append, string nodeId, RunEvent @event, ActivityStatusCode status, Cost? cost)
    {
        var execution = run.ExecutionOf(nodeId);
        var typeId = run.TypeOf(append, nodeId);
        _metrics.AttemptEnded(typeId, @event.Timestamp - execution.StartedAt);
        if (!IsTracing || run.Within is not { } parent)
            return;

        var tags = run.Tags();
        tags.Add("openwop.node_id", nodeId);
        tags.Add("openwop.node_type", typeId);
        tags.Add("openwop.node_attempt", execution.Attempt);
        tags.Add("openwop.event_seq", @event.Sequence);
        AddCost(tags, cost);
        Write($"openwop.node.{typeId}", SpanIdentity.OfAttempt(run.RunId, nodeId, execution.Iteration, execution.Attempt), parent, tags, execution.StartedAt, @event.Timestamp, status);
    }

    private void Resolved(RunTrace run, RunAppend append, InterruptResolved resolved, RunEvent @event)
    {
        if (append.State.Nodes.GetValueOrDefault(resolved.Node)?.Interrupt is not { } interrupt)
            return;

        var kind = resolved.Kind;
        _metrics.InterruptResolved(kind, @event.Timestamp - interrupt.RequestedAt);
        if (!IsTracing || run.Within is not { } parent)
            return;

        var tags = run.Tags();
        tags.Add("openwop.node_id", resolved.Node);
        tags.Add("openwop.interrupt_kind", kind);
        tags.Add("openwop.interrupt_id", interrupt.Id);
        tags.Add("openwop.event_seq", @event.Sequence);
        Write("openwop.interrupt", ActivitySpanId.CreateRandom(), parent, tags, interrupt.RequestedAt, @event.Timestamp, ActivityStatusCode.Unset);
    }

    private static void Ended(RunTrace run, RunEvent @event)
    {
        if (!IsTracing || SpanIdentity.Parse(run.Options.Traceparent) is not { } outside)
            return;

        var tags = run.Tags();
        tags.Add("openwop.run_status", RunSnapshot.StatusOf(run.State));
        tags.Add("openwop.pii_present", !run.State.SensitiveVariables.IsEmpty);
        if (run.Options.ScopeId is { } scope)
            tags.Add("openwop.scope_id", scope);
        if (!run.Options.Tags.IsEmpty)
            tags.Add("openwop.run.tags", run.Options.Tags.ToArray());
        if (run.Options.Parent is { } parent)
        {
            tags.Add("openwop.parent.run_id", parent.RunId);
            tags.Add("openwop.parent.workflow_id", parent.WorkflowId);
            tags.Add("openwop.parent.node_id", parent.NodeId);
        }

        if (run.Cap is { } cap)
        {
            tags.Add("openwop.cap_kind", cap.Kind);
            tags.Add("openwop.cap_limit", cap.Limit);
            tags.Add("openwop.cap_observed", cap.Observed);
        }

        ActivityLink[] links = [];
        if (run.State.Origin is { } origin)
        {
            tags.Add("openwop.replay.source_run_id", origin.SourceRunId);
            tags.Add("openwop.replay.from_seq", origin.FromSequence);
            tags.Add("openwop.replay.mode", ForkModes.NameOf(origin.Mode));
            if (SpanIdentity.Parse(origin.SourceTraceparent) is { } source)
                links = [new ActivityLink(new ActivityContext(source.TraceId, SpanIdentity.OfRun(origin.SourceRunId), source.TraceFlags))];
        }

        AddCost(tags, run.State.Cost);
        Write(
            "openwop.run", SpanIdentity.OfRun(run.RunId), outside, tags, run.State.StartedAt, @event.Timestamp,
            run.State.Status == RunStatus.Failed ? ActivityStatusCode.Error : ActivityStatusCode.Unset, links);
    }

    /// <summary>The listed attributes and no others (spec/runs-streams-replay.md 9.2).</summary>
    private static void AddCost(ActivityTagsCollection tags, Cost? cost)
    {
        if (cost is null)
            return;

        tags.Add("openwop.cost.tokens.input", cost.InputTokens);
        tags.Add("openwop.cost.tokens.output", cost.OutputTokens);
        tags.Add("openwop.cost.tokens.total", cost.InputTokens + cost.OutputTokens);
        if (cost.Usd is { } usd)
        {
            tags.Add("openwop.cost.usd", usd);
            tags.Add("openwop.cost.currency", "USD");
        }

        if (cost.Provider is { } provider)
            tags.Add("openwop.cost.provider", provider);
    }

    private static void Write(
        string name, ActivitySpanId id, ActivityContext parent, ActivityTagsCollection tags, DateTimeOffset start, DateTimeOffset end, ActivityStatusCode status, ActivityLink[]? links = null)
    {
        if (Spans.StartActivity(name, ActivityKind.Internal, parent, tags, links, start) is not { } span)
            return;

        ActivityIds.Assign(span, id);
        span.SetStatus(status);
        span.SetEndTime(end < start ? start.UtcDateTime : end.UtcDateTime);
        span.Stop();
    }

    /// <summary>A run while its events are looked at.</summary>
    private sealed class RunTrace(string runId, RunState state, RunOptions options)
    {
        private readonly Dictionary<string, Execution> _executions = new(StringComparer.Ordinal);
        private readonly Dictionary<string, string> _types = new(StringComparer.Ordinal);

        public string RunId => runId;

        public RunState State => state;

        public RunOptions Options => options;

        public ActivityContext? Within { get; } = SpanIdentity.WithinRun(runId, options);

        public CapBreached? Cap { get; set; }

        public void Started(NodeStarted started, DateTimeOffset at)
        {
            _executions[started.Node] = new(started.Iteration, started.Attempt, at);
            _types[started.Node] = started.TypeId;
        }

        /// <summary>As its start says if it is in the same append, else as the state remembers it.</summary>
        public Execution ExecutionOf(string nodeId) =>
            _executions.TryGetValue(nodeId, out var execution) ? execution
            : state.Nodes.TryGetValue(nodeId, out var node) ? new(node.Iteration, node.Attempt, node.StartedAt)
            : new(0, 0, state.StartedAt);

        public string TypeOf(RunAppend append, string nodeId) =>
            _types.TryGetValue(nodeId, out var type) ? type : append.Graph?.Find(nodeId)?.Definition.TypeId ?? "unknown";

        public ActivityTagsCollection Tags() => new()
        {
            ["openwop.run_id"] = runId,
            ["openwop.workflow_id"] = state.WorkflowId,
            ["openwop.protocol_version"] = ProtocolVersion,
            ["openwop.tenant_id"] = options.Tenant,
        };
    }

    private readonly record struct Execution(int Iteration, int Attempt, DateTimeOffset StartedAt);
}
