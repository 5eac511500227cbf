using System.Collections.Immutable;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>Child runs.</summary>
public sealed partial class NodeContext
{
    /// <summary>Most children of one run.</summary>
    public const int MaxChildren = 1000;

    private readonly List<StartedChild> startedChildren = [];

    /// <summary>What the children came to that this execution of the node has waited for, in the order in which it started them.</summary>
    public ImmutableArray<ChildResult> ChildResults { get; init; } = [];

    /// <summary>All children that earlier turns of this execution have started, in that order, over or not.</summary>
    public ImmutableArray<KnownChild> Children { get; init; } = [];

    public IReadOnlyList<StartedChild> StartedChildren => startedChildren;

    /// <summary>Names of variables whose values are masked outside.</summary>
    public ImmutableHashSet<string> SensitiveVariables { get; init; } = [];

    /// <summary>How often this attempt has gone on after an answer or a child.</summary>
    internal int Turn { get; init; }

    /// <summary>Children of the run so far.</summary>
    internal int ChildCount { get; init; }

    /// <summary>This node as the origin of children, with the ordinal of the first that this attempt starts.</summary>
    internal ChildOrigin? Origin { get; init; }

    internal IChildRuns? ChildRuns { get; set; }

    /// <summary>
    /// Starts a run; not for pure handlers. To wait for its end return <see cref="NodeOutcome.WaitingForChild"/>: the handler is then
    /// executed again from its beginning and finds the result in <see cref="ChildResults"/>.
    /// </summary>
    public async Task<ChildStart> StartChildAsync(ChildRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (Origin is null || ChildRuns is null)
            throw new InvalidOperationException("A pure handler cannot start runs.");

        if (ChildCount + startedChildren.Count >= MaxChildren)
            return new ChildStart(null, new NodeError("child_limit_exceeded", $"A run may start {MaxChildren} other runs."));

        var start = await ChildRuns.StartAsync(Origin with { Ordinal = Origin.Ordinal + startedChildren.Count }, request, cancellationToken);
        if (start.RunId is { } runId)
            startedChildren.Add(new StartedChild(runId, request.WorkflowId, request.Propagates) { EndsWithNode = request.EndsWithNode, Item = request.Item });

        return start;
    }
}
