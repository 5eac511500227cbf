using System.Collections.Immutable;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Which signals an append sends: a function of the states before and after it, so that no way to end or to wait can forget one.
/// </summary>
internal static class SignalRules
{
    public const string ParentCancelled = "parent-cancelled";

    private const string ParentFailed = "parent-failed";
    private const string NodeEnded = "parent-node-ended";

    public static ImmutableArray<RunSignal> Of(RunState before, RunState after)
    {
        if (after.Children.IsEmpty && after.Options?.Parent is null)
            return [];

        var signals = ImmutableArray.CreateBuilder<RunSignal>();
        if (after.Options?.Parent is { } parent && (before.Status == RunStatus.Pending || RunSnapshot.StatusOf(before) != RunSnapshot.StatusOf(after)))
        {
            signals.Add(new RunSignal.ChildReport(
                parent.RunId, after.RunId, after.LastSequence, parent.NodeId, parent.Iteration, RunSnapshot.StatusOf(after), ResultOf(after, parent))
            {
                IsFirst = before.Status == RunStatus.Pending,
            });
        }

        foreach (var (runId, child) in after.Children)
        {
            // What the source of a fork has started is not the fork's to end.
            if (after.Origin is { } origin && (origin.IsReplay || child.StartSequence < origin.FromSequence))
                continue;

            if (MustEnd(after, child) && !(before.Children.GetValueOrDefault(runId) is { } was && MustEnd(before, was)))
                signals.Add(new RunSignal.Cancel(runId, after.RunId, after.LastSequence, ReasonOf(after)));
        }

        return signals.DrainToImmutable();
    }

    /// <summary>Why a run ends the children that it does not want any more.</summary>
    public static string ReasonOf(RunState state) => state.Status switch
    {
        RunStatus.Cancelled => ParentCancelled,
        RunStatus.Failed => ParentFailed,
        _ => NodeEnded,
    };

    /// <summary>
    /// A child ends with a cancelled parent; one that is awaited also with a failed one, and when its node has ended without it.
    /// </summary>
    private static bool MustEnd(RunState state, ChildRun child) =>
        child is { IsOver: false, Propagates: true }
        && (state.Status == RunStatus.Cancelled || (child.EndsWithNode && (state.IsTerminal || !IsAwaitedStill(state, child))));

    private static bool IsAwaitedStill(RunState state, ChildRun child) =>
        state.Nodes.GetValueOrDefault(child.NodeId) is { IsSettled: false } node && node.Iteration == child.Iteration;

    private static ChildResult? ResultOf(RunState state, ParentLink parent)
    {
        if (!state.IsTerminal)
            return null;

        var harvested = state.Variables.RemoveRange(state.Variables.Keys.Where(name => !parent.Harvest.Contains(name)));
        return new ChildResult(state.RunId, state.WorkflowId, RunSnapshot.StatusOf(state))
        {
            Variables = harvested,
            SensitiveVariables = [.. state.SensitiveVariables.Where(harvested.ContainsKey)],
            Outputs = state.Outputs,
            Error = state.Status == RunStatus.Failed ? state.Error : null,
        };
    }
}
