using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

internal enum RunStatus
{
    Pending,
    Running,
    Paused,
    Completed,
    Failed,
    Cancelled,
}

internal enum NodeStatus
{
    /// <summary>An attempt is being executed.</summary>
    Running,

    /// <summary>Waits for its time and then completes.</summary>
    Delayed,

    /// <summary>Waits for its next attempt.</summary>
    RetryWait,

    /// <summary>Waits for somebody to resolve its interrupt.</summary>
    Suspended,

    /// <summary>Waits for the end of a run that it has started.</summary>
    WaitingForChild,
    Completed,
    Failed,
    Skipped,
    Cancelled,
}

/// <summary>A node that has been touched; one that has not is absent from <see cref="RunState.Nodes"/>.</summary>
internal sealed record NodeState(NodeStatus Status)
{
    public int Attempt { get; init; }
    public int Iteration { get; init; }
    public DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Inputs of an unfinished node with outside effects; see <see cref="NodeStarted.Inputs"/>.</summary>
    public ImmutableSortedDictionary<string, JsonElement>? Inputs { get; init; }

    /// <summary>When a delayed or waiting node goes on.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>The interrupt that the node waits for, or, once it has ended, waited for last.</summary>
    public OpenInterrupt? Interrupt { get; init; }

    /// <summary>Values of the interrupts of this execution that have been resolved, by key.</summary>
    public ImmutableSortedDictionary<string, JsonElement> Resolved { get; init; } = RunState.EmptyValues;

    /// <summary>Runs that this execution has started, in order.</summary>
    public ImmutableArray<string> ChildRuns { get; init; } = [];

    /// <summary>The child that the node waits for, or waited for last; null = none.</summary>
    public string? AwaitedChild { get; init; }

    /// <summary>How often it has waited for a child that was not its newest.</summary>
    public int Waits { get; init; }

    /// <summary>How often the attempt has gone on: after another answer, or another child, it is a new one to its executor.</summary>
    public int Turn => Resolved.Count + ChildRuns.Length + Waits;

    /// <summary>Outputs of a completed node, or those that a delayed one will have.</summary>
    public JsonElement Outputs { get; init; }
    public JsonElement? MaskedOutputs { get; init; }
    public ImmutableArray<string>? LivePorts { get; init; }
    public JsonElement? LoopState { get; init; }

    /// <summary>What the attempt has streamed so far; null = nothing.</summary>
    public StreamedText? Streamed { get; init; }
    public NodeError? Error { get; init; }

    public bool IsSettled => Status is NodeStatus.Completed or NodeStatus.Failed or NodeStatus.Skipped or NodeStatus.Cancelled;
}

/// <summary>
/// A run as the fold of its log: everything that decides what happens next, nothing that comes from a clock, a database
/// or chance.
/// </summary>
internal sealed record RunState
{
    /// <summary>Sequence of the last event folded in; -1 = none.</summary>
    public long LastSequence { get; init; } = -1;
    public RunStatus Status { get; init; } = RunStatus.Pending;
    public string RunId { get; init; } = "";
    public string WorkflowId { get; init; } = "";
    public RunOptions? Options { get; init; }

    /// <summary>Set when the run is a fork.</summary>
    public RunOrigin? Origin { get; init; }
    public JsonElement Inputs { get; init; }
    public ImmutableSortedDictionary<string, JsonElement> Variables { get; init; } = EmptyValues;
    public ImmutableHashSet<string> SensitiveVariables { get; init; } = [];

    /// <summary>Declared channels; null when the workflow declares none and channels live among the variables.</summary>
    public ImmutableSortedDictionary<string, ChannelState>? Channels { get; init; }
    public ImmutableSortedDictionary<string, NodeState> Nodes { get; init; } = ImmutableSortedDictionary.Create<string, NodeState>(StringComparer.Ordinal);

    /// <summary>Executions so far per node that a loop has reset, so that iterations go on counting.</summary>
    public ImmutableSortedDictionary<string, LoopMemory> Loops { get; init; } = ImmutableSortedDictionary.Create<string, LoopMemory>(StringComparer.Ordinal);

    /// <summary>Versions of changes that the run follows, by change.</summary>
    public ImmutableSortedDictionary<string, int> Pins { get; init; } = ImmutableSortedDictionary.Create<string, int>(StringComparer.Ordinal);

    /// <summary>Entries of memory that the run has written.</summary>
    public ImmutableHashSet<string> Remembered { get; init; } = [];

    /// <summary>What calls of models have cost so far; null = nothing was reported.</summary>
    public Cost? Cost { get; init; }

    /// <summary>Attempts started so far, retries and iterations included.</summary>
    public int NodeExecutions { get; init; }
    public int RecursionLimit { get; init; }
    public DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public DateTimeOffset? Deadline { get; init; }
    public long TimeoutMs { get; init; }
    public JsonElement Outputs { get; init; }
    public NodeError? Error { get; init; }
    /// <summary>True when a node has said that the run is complete.</summary>
    public bool IsEnding { get; init; }

    /// <summary>The agent that has worked last, or works; null = none.</summary>
    public JsonElement? Agent { get; init; }

    /// <summary>What the run's orchestrator has decided; null when it has none.</summary>
    public Orchestration? Orchestration { get; init; }

    /// <summary>Artifacts by id.</summary>
    public ImmutableSortedDictionary<string, ArtifactState> Artifacts { get; init; } = Core.Artifacts.None;

    /// <summary>Runs that this one has started, by id.</summary>
    public ImmutableSortedDictionary<string, ChildRun> Children { get; init; } = NoChildren;

    /// <summary>True when the end of the parent has cancelled this run.</summary>
    public bool IsCancelledByParent { get; init; }

    /// <summary>Calls that have changed the run, the newest last.</summary>
    public ImmutableArray<HandledRequest> Requests { get; init; } = [];
    public PendingPause? PauseRequested { get; init; }
    public DateTimeOffset? PausedAt { get; init; }

    // Declared before Empty, whose initializer reads it.
    public static ImmutableSortedDictionary<string, JsonElement> EmptyValues { get; } = ImmutableSortedDictionary.Create<string, JsonElement>(StringComparer.Ordinal);

    public static ImmutableSortedDictionary<string, ChannelState> NoChannels { get; } = ImmutableSortedDictionary.Create<string, ChannelState>(StringComparer.Ordinal);

    public static ImmutableSortedDictionary<string, ChildRun> NoChildren { get; } = ImmutableSortedDictionary.Create<string, ChildRun>(StringComparer.Ordinal);

    public static RunState Empty { get; } = new();

    public bool IsTerminal => Status is RunStatus.Completed or RunStatus.Failed or RunStatus.Cancelled;

    /// <summary>
    /// The interrupt that the run waits for: the oldest open one, while no attempt is being executed; null when it does not wait
    /// for an answer.
    /// </summary>
    public (string NodeId, OpenInterrupt Interrupt)? WaitingFor
    {
        get
        {
            (string NodeId, OpenInterrupt Interrupt)? oldest = null;
            foreach (var (nodeId, node) in Nodes)
            {
                if (node.Status == NodeStatus.Running)
                    return null;

                if (node is { Status: NodeStatus.Suspended, Interrupt: { } open } && (oldest is null || open.RequestSequence < oldest.Value.Interrupt.RequestSequence))
                    oldest = (nodeId, open);
            }

            return IsTerminal ? null : oldest;
        }
    }

    /// <summary>
    /// The child whose waiting is the run's own: the oldest that waits for somebody outside, while nothing here does and no
    /// attempt is being executed.
    /// </summary>
    public (string NodeId, ChildRun Child)? WaitingChild
    {
        get
        {
            if (Children.IsEmpty || IsTerminal || WaitingFor is not null || Nodes.Values.Any(node => node.Status == NodeStatus.Running))
                return null;

            ChildRun? oldest = null;
            foreach (var node in Nodes.Values)
            {
                if (node.Status == NodeStatus.WaitingForChild
                    && Children[node.AwaitedChild!] is { IsWaiting: true } child
                    && (oldest is null || child.StartSequence < oldest.StartSequence))
                {
                    oldest = child;
                }
            }

            return oldest is null ? null : (oldest.NodeId, oldest);
        }
    }

    /// <summary>True while an attempt is being executed: somebody must hold the run in memory.</summary>
    public bool HasRunningNodes => Status == RunStatus.Running && Nodes.Values.Any(node => node.Status == NodeStatus.Running);

    /// <summary>Outputs of completed nodes by node id.</summary>
    public ImmutableSortedDictionary<string, JsonElement> CompletedOutputs()
    {
        var outputs = EmptyValues.ToBuilder();
        foreach (var (nodeId, node) in Nodes)
        {
            if (node.Status == NodeStatus.Completed && node.Outputs.IsDefined())
                outputs[nodeId] = node.Outputs;
        }

        return outputs.ToImmutable();
    }

    /// <summary>The next time at which something is due; null = nothing waits for a time.</summary>
    public DateTimeOffset? NextDue
    {
        get
        {
            if (IsTerminal)
            {
                return null;
            }

            var due = Deadline;
            if (Status == RunStatus.Paused)
                return due;

            foreach (var node in Nodes.Values)
            {
                if (node.DueAt is { } at && (due is null || at < due))
                {
                    due = at;
                }
            }

            return due;
        }
    }
}

/// <summary>What outlives the reset of a node by a loop.</summary>
/// <param name="Executions">Executions of the node so far.</param>
/// <param name="State">State that the loop head keeps between iterations.</param>
/// <param name="Loopbacks">Back edges followed into this node since the loop was entered.</param>
internal sealed record LoopMemory(int Executions, JsonElement? State, int Loopbacks);
