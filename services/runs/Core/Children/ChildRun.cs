using System.Collections.Immutable;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>Where a run comes from, for one that another run has started.</summary>
/// <param name="RunId">The parent.</param>
/// <param name="NodeId">The parent's node that started it.</param>
/// <param name="WorkflowId">The parent's workflow.</param>
/// <param name="Iteration">Which execution of the node.</param>
/// <param name="RootRunId">The run at the top, which no run has started.</param>
/// <param name="Depth">1 for a child of the root.</param>
/// <param name="Harvest">Variables whose values the parent asks for at the end.</param>
internal sealed record ParentLink(string RunId, string NodeId, string WorkflowId, int Iteration, string RootRunId, int Depth, ImmutableArray<string> Harvest);

/// <summary>A run that this one has started, as far as it has told.</summary>
/// <param name="NodeId">The node that started it.</param>
/// <param name="Iteration">Which execution of the node.</param>
/// <param name="Status">Wire name of its status.</param>
/// <param name="IsAwaited">True when its node waits for its end.</param>
/// <param name="Propagates">True when it does not outlive its node or this run.</param>
/// <param name="StartSequence">Sequence of the event that recorded it.</param>
internal sealed record ChildRun(string NodeId, int Iteration, string WorkflowId, string Status, bool IsAwaited, bool Propagates, long StartSequence)
{
    /// <summary>Sequence, in the child's log, of the last report.</summary>
    public long ReportSequence { get; init; } = -1;

    /// <summary>What it came to, kept until its node has ended.</summary>
    public ChildResult? Result { get; init; }

    /// <summary>True when it does not outlive the execution of its node: it is awaited, or will be.</summary>
    public bool EndsWithNode { get; init; } = IsAwaited;

    public bool IsOver => IsTerminal(Status);

    /// <summary>True while it waits for somebody outside.</summary>
    public bool IsWaiting => Status.StartsWith("waiting-", StringComparison.Ordinal);

    public static bool IsTerminal(string status) => status is "completed" or "failed" or "cancelled";
}

/// <summary>The node has started another run; shown as a line in the run's log.</summary>
internal sealed record ChildStarted(string Node, string ChildRunId, string WorkflowId, int Iteration, bool IsAwaited, bool Propagates) : RunEventBody
{
    public override string NodeId => Node;

    /// <summary>True when it does not outlive the execution of its node: it is awaited, or will be.</summary>
    public bool EndsWithNode { get; init; } = IsAwaited;

    /// <summary>What of a list the child is for; null = no list.</summary>
    public ChildItem? Item { get; init; }
}

/// <summary>
/// The node waits for a child that is not the newest; one that is over already lets it go on at once. Shown as a line in the run's log.
/// </summary>
internal sealed record ChildAwaited(string Node, string ChildRunId) : RunEventBody
{
    public override string NodeId => Node;
}

/// <summary>A child has another status, at its end with its result; shown as a line in the run's log.</summary>
/// <param name="ReportSequence">Where in the child's log.</param>
internal sealed record ChildReported(string Node, string ChildRunId, string Status, long ReportSequence, ChildResult? Result) : RunEventBody
{
    public override string NodeId => Node;
}
