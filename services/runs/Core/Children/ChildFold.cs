namespace OpenWop.Micro.Runs.Core;

/// <summary>Folds what happens with the children of a run.</summary>
internal static class ChildFold
{
    public static RunState Started(RunState state, ChildStarted started, long sequence)
    {
        var child = new ChildRun(started.Node, started.Iteration, started.WorkflowId, "running", started.IsAwaited, started.Propagates, sequence)
        {
            EndsWithNode = started.EndsWithNode,
        };
        var node = state.Nodes[started.Node];
        return state with
        {
            Children = state.Children.SetItem(started.ChildRunId, child),
            Nodes = state.Nodes.SetItem(started.Node, node with
            {
                ChildRuns = node.ChildRuns.Add(started.ChildRunId),
                AwaitedChild = started.IsAwaited ? started.ChildRunId : node.AwaitedChild,
                Status = started.IsAwaited ? NodeStatus.WaitingForChild : node.Status,
            }),
        };
    }

    /// <summary>The node waits for a child of those that it has started; not at all when that is over.</summary>
    public static RunState Awaited(RunState state, ChildAwaited awaited)
    {
        var node = state.Nodes[awaited.Node];
        return state with
        {
            Nodes = state.Nodes.SetItem(awaited.Node, node with
            {
                AwaitedChild = awaited.ChildRunId,
                Waits = node.Waits + 1,
                Status = state.Children[awaited.ChildRunId].IsOver ? NodeStatus.Running : NodeStatus.WaitingForChild,
            }),
        };
    }

    /// <summary>The end of the child that a node waits for lets the node run again.</summary>
    public static RunState Reported(RunState state, ChildReported reported)
    {
        var child = state.Children[reported.ChildRunId] with { Status = reported.Status, ReportSequence = reported.ReportSequence, Result = reported.Result };
        state = state with { Children = state.Children.SetItem(reported.ChildRunId, child) };
        return child.IsOver
            && state.Nodes.GetValueOrDefault(reported.Node) is { Status: NodeStatus.WaitingForChild } node
            && node.AwaitedChild == reported.ChildRunId
            ? state with { Nodes = state.Nodes.SetItem(reported.Node, node with { Status = NodeStatus.Running }) }
            : state;
    }

    /// <summary>Results are for the node that waited: once it has ended, only the status is kept.</summary>
    public static RunState DropResults(RunState state, string nodeId)
    {
        if (state.Children.IsEmpty || state.Nodes.GetValueOrDefault(nodeId) is not { ChildRuns.IsEmpty: false } node)
            return state;

        var children = state.Children;
        foreach (var runId in node.ChildRuns)
        {
            if (children[runId] is { Result: not null } child)
                children = children.SetItem(runId, child with { Result = null });
        }

        return state with { Children = children };
    }
}
