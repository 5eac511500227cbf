using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>Children of a run: their start, what they report, and the end that a parent sends them.</summary>
internal static class ChildDecisions
{
    /// <summary>
    /// Records the children that an attempt has started, and the one that the node waits for: the last event says so, since nothing
    /// that the attempt has come to may follow it.
    /// </summary>
    public static void AddStarted(Draft draft, NodeResult result, string? awaited)
    {
        List<StartedChild> started = [.. result.StartedChildren.Where(child => !draft.State.Children.ContainsKey(child.RunId))];
        var isNewest = started is [.., var newest] && newest.RunId == awaited;
        foreach (var child in started)
        {
            draft.Add(new ChildStarted(result.NodeId, child.RunId, child.WorkflowId, result.Iteration, isNewest && child.RunId == awaited, child.Propagates)
            {
                EndsWithNode = child.EndsWithNode || child.RunId == awaited,
                Item = child.Item,
            });
        }

        if (awaited is not null && !isNewest)
            draft.Add(new ChildAwaited(result.NodeId, awaited));
    }

    /// <summary>Whether a child that a branch of a run waits for reports to the run that it has branched off.</summary>
    public static bool IsOfSource(RunState state, string childRunId) =>
        state.Origin is { IsReplay: false } origin
        && state.Children.GetValueOrDefault(childRunId) is { IsOver: false } child
        && child.StartSequence < origin.FromSequence;

    /// <summary>
    /// Decides on a signal; false when it cannot be decided yet and must be kept. A repeated one decides nothing: what it says
    /// has been recorded.
    /// </summary>
    public static bool Receive(Draft draft, RunSignal signal)
    {
        if (!IsDecidable(draft.State, signal))
            return false;

        switch (signal)
        {
            case RunSignal.Cancel cancel:
                Decisions.Cancel(draft, cancel.Reason, cancelledBy: null, parentRunId: cancel.Source);
                break;
            case RunSignal.ChildReport report:
                Receive(draft, report);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(signal));
        }

        return true;
    }

    /// <summary>
    /// A report waits while the run is paused, because nothing follows a pause but its end, and while the attempt that started
    /// the child has not said so.
    /// </summary>
    public static bool IsDecidable(RunState state, RunSignal signal)
    {
        if (signal is not RunSignal.ChildReport report || state.IsTerminal)
            return true;

        if (!state.Children.TryGetValue(report.Source, out var child))
            return !(state.Nodes.GetValueOrDefault(report.Node) is { IsSettled: false } node && node.Iteration == report.Iteration);

        return IsOld(child, report) || (state.Status == RunStatus.Running && state.PauseRequested is null);
    }

    private static void Receive(Draft draft, RunSignal.ChildReport report)
    {
        var state = draft.State;
        if (!state.Children.TryGetValue(report.Source, out var child))
        {
            // Started by an attempt that ended before it could say so: nobody waits for it.
            if (!ChildRun.IsTerminal(report.Status))
                draft.Send(new RunSignal.Cancel(report.Source, state.RunId, state.LastSequence, SignalRules.ReasonOf(state)));

            return;
        }

        if (!state.IsTerminal && !IsOld(child, report))
            draft.Add(new ChildReported(child.NodeId, report.Source, report.Status, report.SourceSequence, report.Result));
    }

    private static bool IsOld(ChildRun child, RunSignal.ChildReport report) =>
        child.IsOver || report.SourceSequence <= child.ReportSequence || (report.IsFirst && report.Status == child.Status);
}
