using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// One entry of a run's log. The body is typed; <c>EventCodec</c> renders it as the wire document plus the private facts
/// that the fold needs and nobody outside the engine sees.
/// </summary>
/// <param name="Sequence">Position in the run's log, from 0 without gaps.</param>
/// <param name="Timestamp">UTC, truncated to milliseconds.</param>
internal sealed record RunEvent(long Sequence, DateTimeOffset Timestamp, RunEventBody Body, long? CauseSequence = null)
{
    /// <summary>The call that decided it; null = none, or one that cannot be repeated.</summary>
    public RequestIdentity? Request { get; init; }
}

/// <summary>What happened. One record per event type (spec/runs-streams-replay.md 3.2).</summary>
internal abstract record RunEventBody
{
    /// <summary>The node the event is about, or null.</summary>
    public virtual string? NodeId => null;
}

internal sealed record RunStarted : RunEventBody
{
    public required string RunId { get; init; }
    public required string WorkflowId { get; init; }
    public required JsonElement Inputs { get; init; }
    public required RunOptions Options { get; init; }

    /// <summary>Variables after defaults and inputs, unmasked.</summary>
    public required ImmutableSortedDictionary<string, JsonElement> Variables { get; init; }

    /// <summary>Declared channels before any write; null when the workflow declares none.</summary>
    public ImmutableSortedDictionary<string, ChannelState>? Channels { get; init; }

    /// <summary>Names whose values are masked outside.</summary>
    public ImmutableHashSet<string> SensitiveVariables { get; init; } = [];

    /// <summary>When the run must be over; null = never.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>The limit behind <see cref="Deadline"/> in milliseconds.</summary>
    public long TimeoutMs { get; init; }

    /// <summary>Node starts allowed.</summary>
    public required int RecursionLimit { get; init; }

    /// <summary>Set when the run is a fork.</summary>
    public RunOrigin? Origin { get; init; }
}

internal sealed record NodeStarted(string Node, string TypeId, int Attempt, int Iteration) : RunEventBody
{
    public override string NodeId => Node;

    /// <summary>
    /// Resolved inputs of a node with outside effects, so that another attempt, also after a crash, does the same again;
    /// null for pure nodes.
    /// </summary>
    public ImmutableSortedDictionary<string, JsonElement>? Inputs { get; init; }

    /// <summary>The agent that works on the node; null = none.</summary>
    public JsonElement? Agent { get; init; }

    /// <summary>Nodes that start over because a back edge was followed into this one, itself included.</summary>
    public ImmutableArray<string> Resets { get; init; } = [];

    /// <summary>Set when the node waits for a time and then completes with <see cref="DelayedOutputs"/>.</summary>
    public DateTimeOffset? DelayUntil { get; init; }
    public JsonElement? DelayedOutputs { get; init; }
}

internal sealed record NodeCompleted(string Node, JsonElement Outputs) : RunEventBody
{
    public override string NodeId => Node;

    /// <summary>What is shown outside when some outputs are sensitive; null = <see cref="Outputs"/>.</summary>
    public JsonElement? MaskedOutputs { get; init; }

    /// <summary>Output ports whose edges are followed besides <c>output</c>; null = all.</summary>
    public ImmutableArray<string>? LivePorts { get; init; }
    public JsonElement? LoopState { get; init; }

    /// <summary>True when the run is complete with this node.</summary>
    public bool EndsRun { get; init; }
    public long DurationMs { get; init; }

    /// <summary>What the execution has cost; null = nothing was reported.</summary>
    public Cost? Cost { get; init; }
}

internal sealed record NodeFailed(string Node, NodeError Error, int Attempts) : RunEventBody
{
    public override string NodeId => Node;

    /// <summary>What the last attempt has cost nevertheless; null = nothing was reported.</summary>
    public Cost? Cost { get; init; }
}

/// <summary>Another attempt follows at <paramref name="DueAt"/>.</summary>
internal sealed record NodeRetried(string Node, int Attempt, long DelayMs, NodeError LastError, DateTimeOffset DueAt) : RunEventBody
{
    public override string NodeId => Node;

    /// <summary>What the attempt that failed has cost; null = nothing was reported.</summary>
    public Cost? Cost { get; init; }
}

internal sealed record NodeSkipped(string Node, string Reason) : RunEventBody
{
    public override string NodeId => Node;
}

internal sealed record NodeCancelled(string Node, string Reason) : RunEventBody
{
    public override string NodeId => Node;
}

internal sealed record VariableChanged(string Name, JsonElement Value, JsonElement? Previous, string? Node, bool Sensitive) : RunEventBody
{
    public override string? NodeId => Node;
}

internal sealed record LogAppended(string Level, string Message, JsonElement? Fields, string? Node) : RunEventBody
{
    public override string? NodeId => Node;
}

internal sealed record CapBreached(string Kind, long Limit, long Observed, string? Node) : RunEventBody
{
    public override string? NodeId => Node;
}

internal sealed record LoopbackLimit(string Node, int Iterations, int Limit) : RunEventBody
{
    public override string NodeId => Node;
}

internal sealed record InterruptRequested(string Node, Interrupt Interrupt) : RunEventBody
{
    public override string NodeId => Node;
}

/// <summary>The legacy companion of a request for an approval or clarification.</summary>
internal sealed record LegacyRequest(string Node, string InterruptId, string Type, Interrupt Interrupt) : RunEventBody
{
    public override string NodeId => Node;
}

/// <param name="DueAt">When the interrupt times out; null = never.</param>
internal sealed record NodeSuspended(string Node, string InterruptId, string Kind, string Key, string? Reason, DateTimeOffset? DueAt) : RunEventBody
{
    /// <summary>Who was how sure, for a decision that is held back; shown with the event.</summary>
    public JsonElement? Confidence { get; init; }

    public override string NodeId => Node;
}

/// <summary>A decision on an approval; the one that settles it is followed by <see cref="InterruptResolved"/>.</summary>
/// <param name="Voter">Whose vote it is, for counting.</param>
internal sealed record ApprovalReceived(string Node, string Action, string? DecidedBy, string? Voter, JsonElement Value) : RunEventBody
{
    public override string NodeId => Node;
}

internal sealed record ClarificationResolved(string Node, JsonElement Answers, string? AnsweredBy) : RunEventBody
{
    public override string NodeId => Node;
}

internal sealed record InterruptResolved(string Node, string InterruptId, string Kind, JsonElement Value, string? ResolvedBy, string? Outcome) : RunEventBody
{
    public override string NodeId => Node;
}

internal sealed record NodeResumed(string Node, string InterruptId, string Key, JsonElement Value) : RunEventBody
{
    public override string NodeId => Node;
}

/// <summary>Recorded when the pause is asked for, so that a drain outlives the process; shown as a line in the run's log.</summary>
internal sealed record PauseRequested(string? Reason, string DrainPolicy) : RunEventBody;

internal sealed record RunPaused(string? Reason, string DrainPolicy) : RunEventBody;

internal sealed record RunResumed(string? Reason) : RunEventBody;

internal sealed record RunCompleted(JsonElement Outputs, long DurationMs) : RunEventBody;

internal sealed record RunFailed(NodeError Error, string? FailedNodeId, long DurationMs) : RunEventBody;

internal sealed record RunCancelled(string? Reason, string? CancelledBy, long DurationMs) : RunEventBody
{
    /// <summary>The parent whose end has ended this run; null when it was cancelled itself.</summary>
    public string? ParentRunId { get; init; }
}

/// <summary>An event of a newer version: kept, shown, not folded.</summary>
internal sealed record UnknownEvent(string Type, string? Node) : RunEventBody
{
    public override string? NodeId => Node;
}

/// <summary>What was asked for at creation; immutable for the life of the run (spec/http-core.md 10).</summary>
internal sealed record RunOptions
{
    public required string Tenant { get; init; }
    public string? Principal { get; init; }
    public bool IsTest { get; init; }

    /// <summary>Owner and version of the pinned definition.</summary>
    public required string DefinitionOwner { get; init; }
    public required long DefinitionVersion { get; init; }

    /// <summary><c>configurable</c> verbatim; undefined when absent.</summary>
    public JsonElement Configurable { get; init; }
    public ImmutableArray<string> Tags { get; init; } = [];

    /// <summary><c>metadata</c> verbatim; undefined when absent.</summary>
    public JsonElement Metadata { get; init; }
    public string? ScopeId { get; init; }
    public string? CallbackUrl { get; init; }

    /// <summary>The W3C trace context that the run was started in; null = none is kept.</summary>
    public string? Traceparent { get; init; }

    /// <summary>How the run was asked for: one of <see cref="RunTransports"/>. Part of the first event, not of the stored state.</summary>
    public string Transport { get; init; } = RunTransports.Rest;

    /// <summary>Whose semantics the run follows.</summary>
    public int EngineVersion { get; init; } = EngineVersions.Current;

    /// <summary>Set for a run that another run has started.</summary>
    public ParentLink? Parent { get; init; }

    /// <summary>The delivery that has started the run; null = none. Part of the first event, not of the stored state.</summary>
    public string? CausationId { get; init; }

    /// <summary>Triggers that have led to the run, oldest first.</summary>
    public ImmutableArray<string> Lineage { get; init; } = [];
}
