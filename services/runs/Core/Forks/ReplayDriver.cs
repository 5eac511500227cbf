using System.Collections.Immutable;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Drives a replay: the same planner and the same decisions, but nothing comes from outside (spec/runs-streams-replay.md 8.3).
/// Pure nodes are executed, the results of others, answers and the end of waits are taken from the log of the source. What goes
/// on next is, in this order:
/// <list type="number">
/// <item>the end that somebody, or the clock, gave the source at this point;</item>
/// <item>the node that the next event of the source is about, when that node is in the middle of something;</item>
/// <item>the steps of the planner, first those that the source took;</item>
/// <item>of the nodes in the middle of something, the one whose record comes first; one without any record fails;</item>
/// <item>the end that the source was given later.</item>
/// </list>
/// So results come in the order of the source, and a replay of an unchanged workflow writes the same log. Without 2 it would still
/// be a valid run; every step follows from state and logs alone, so a replay that is interrupted goes on as if it had not been.
/// </summary>
internal sealed class ReplayDriver(WorkflowGraph graph, NodeTypes types, ReplaySource source, ReplayProgress progress) : RunDriver(graph, types)
{
    private readonly NodeTypes types = types;

    public override Draft NewDraft(RunState state, DateTimeOffset now) => new(state, now, progress.See);

    /// <summary>Nothing is ever executed outside the draft.</summary>
    public override NodeWork? Resume(RunState state, string runId, string nodeId) => null;

    public override async ValueTask<(ImmutableArray<NodeWork> Work, bool MoreToDo)> AdvanceAsync(Draft draft, string runId, CancellationToken cancellationToken)
    {
        Decisions.EnforceDeadline(draft);
        LeavePause(draft);
        PauseDecisions.TakeEffect(draft, Graph);
        while (draft.Events.Count < DraftLimit)
        {
            if (draft.State.Status != RunStatus.Running || !await GoOnAsync(draft, runId, cancellationToken))
                return ([], MoreToDo: false);
        }

        return ([], MoreToDo: !draft.State.IsTerminal);
    }

    /// <summary>What a node sees as the time is a recorded fact.</summary>
    protected override DateTimeOffset TimeOf(string nodeId, int attempt, int iteration, DateTimeOffset startedAt) =>
        source.StartOf(nodeId, attempt, iteration) ?? startedAt;

    /// <summary>A pause in the history of the source is not one of the replay, which would wait for nothing.</summary>
    private static void LeavePause(Draft draft)
    {
        if (draft.State.LastSequence + 1 != draft.State.Origin!.FromSequence)
            return;

        if (draft.State.PauseRequested is { } request)
            draft.Add(new RunPaused(request.Reason, request.DrainPolicy));

        if (draft.State.Status == RunStatus.Paused)
            draft.Add(new RunResumed("A replay does not pause."));
    }

    /// <summary>One step; false when the replay waits.</summary>
    private async ValueTask<bool> GoOnAsync(Draft draft, string runId, CancellationToken cancellationToken)
    {
        var before = draft.Events.Count;

        // 1.
        if (IsEnding())
            End(draft);

        // 2.
        else if (progress.Next?.Body is ChildReported report && draft.State.Children.GetValueOrDefault(report.ChildRunId) is { IsOver: false })
            draft.Add(report);
        else if (progress.Next is { } next && InTheMiddle(draft.State, next.Body) is { } nodeId)
            await ProceedAsync(draft, runId, nodeId, mayFail: false, cancellationToken);

        if (draft.Events.Count > before)
            return true;

        // 3.
        foreach (var step in NextSteps(draft.State))
        {
            if (draft.State.IsTerminal)
                break;

            await TakeAsync(draft, runId, step, ImmutableArray.CreateBuilder<NodeWork>(), cancellationToken);
        }

        // 4.
        if (draft.Events.Count == before && Earliest(draft.State) is { } pending)
            await ProceedAsync(draft, runId, pending, mayFail: true, cancellationToken);

        // 5.
        if (draft.Events.Count == before)
            End(draft);

        if (draft.Events.Count == before)
            InterruptDecisions.TimeOutDue(draft);

        return draft.Events.Count > before;
    }

    /// <summary>
    /// What the planner says. Where the boundary of the fork lies between steps that were planned together, those that are left come
    /// before what would be planned now.
    /// </summary>
    private ImmutableArray<Step> NextSteps(RunState state)
    {
        var steps = Planner.Next(state, Graph);
        if (progress.Next?.Body is not (NodeStarted or NodeSkipped) || AreTogether(steps))
            return steps;

        var left = Planner.StepOf(state, Graph, progress.Next.Body.NodeId!);
        return left is not null && LeadsTo(left, progress.Next.Body) ? [left] : steps;
    }

    /// <summary>True when the source has taken the same steps in the same order.</summary>
    private bool AreTogether(ImmutableArray<Step> steps)
    {
        var taken = 0;
        for (var i = progress.Cursor; i < source.Events.Count && taken < steps.Length; i++)
        {
            if (source.Events[i].Body is not (NodeStarted { Attempt: 0 } or NodeSkipped))
                continue;

            if (!LeadsTo(steps[taken], source.Events[i].Body))
                return false;

            taken++;
        }

        return taken == steps.Length;
    }

    private static bool LeadsTo(Step step, RunEventBody next) => (step, next) switch
    {
        (Step.Start start, NodeStarted started) => start.Node.Id == started.Node,
        (Step.Skip skip, NodeSkipped skipped) => skip.Node.Id == skipped.Node,
        _ => false,
    };

    /// <summary>
    /// True where the source was cancelled or ran out of time, and where the boundary of the fork lies within the events that
    /// end a run.
    /// </summary>
    private bool IsEnding() => progress.Next?.Body switch
    {
        RunCancelled or NodeCancelled { Reason: Decisions.RunCancelledReason } or CapBreached { Kind: Decisions.RunDuration } => true,
        NodeCancelled or RunFailed => progress.Last is CapBreached or LoopbackLimit or NodeCancelled,
        _ => false,
    };

    private void End(Draft draft)
    {
        if (source.Ending is RunCancelled cancelled)
        {
            Decisions.Cancel(draft, cancelled.Reason, cancelled.CancelledBy);
        }
        else if (source.Ending is RunFailed failed && (IsEnding() || failed.Error.Code == Decisions.RunTimeout))
        {
            if (progress.Next?.Body is CapBreached { Kind: Decisions.RunDuration } breached)
                draft.Add(breached);

            Decisions.Fail(draft, failed.Error, failed.FailedNodeId);
        }
    }

    /// <summary>The node of an event, when the event goes on with what the node is in the middle of.</summary>
    private static string? InTheMiddle(RunState state, RunEventBody next)
    {
        if (next.NodeId is not { } nodeId || !state.Nodes.TryGetValue(nodeId, out var node))
            return null;

        var goesOn = node.Status switch
        {
            NodeStatus.Running => next is not (NodeStarted or NodeSkipped or NodeCancelled),
            NodeStatus.Delayed => next is NodeCompleted,
            NodeStatus.RetryWait => next is NodeStarted or CapBreached,
            NodeStatus.WaitingForChild => next is NodeFailed,
            NodeStatus.Suspended => next is not (NodeStarted or NodeSkipped or NodeCancelled or NodeCompleted),
            _ => false,
        };
        return goesOn ? nodeId : null;
    }

    /// <summary>The node in the middle of something whose record comes first, else the first one without a record.</summary>
    private string? Earliest(RunState state)
    {
        (string? NodeId, int Index) earliest = (null, int.MaxValue);
        foreach (var (nodeId, node) in state.Nodes)
        {
            var index = node.Status switch
            {
                NodeStatus.Running or NodeStatus.Suspended => RemainderOf(nodeId, node) is [var first, ..] ? first.Index : int.MaxValue - 1,
                NodeStatus.WaitingForChild => ReportsFor(node) is [var first, ..] ? first.Index : int.MaxValue - 1,
                NodeStatus.Delayed or NodeStatus.RetryWait => int.MaxValue - 1,
                _ => int.MaxValue,
            };

            // An open question without a recorded answer waits for somebody.
            if (index < earliest.Index && !(index == int.MaxValue - 1 && node.Status == NodeStatus.Suspended))
                earliest = (nodeId, index);
        }

        return earliest.NodeId;
    }

    private async ValueTask ProceedAsync(Draft draft, string runId, string nodeId, bool mayFail, CancellationToken cancellationToken)
    {
        var node = draft.State.Nodes[nodeId];
        switch (node.Status)
        {
            case NodeStatus.Delayed:
                Decisions.CompleteDelay(draft, Graph, nodeId);
                break;
            case NodeStatus.RetryWait when draft.State.NodeExecutions >= draft.State.RecursionLimit:
                Decisions.BreachNodeLimit(draft, nodeId);
                break;
            case NodeStatus.RetryWait:
                await StartAsync(draft, runId, Graph[nodeId], loop: null, node.Attempt, ImmutableArray.CreateBuilder<NodeWork>(), cancellationToken);
                break;

            // A boundary may lie within the result of a pure node: then the rest of it is history, too.
            case NodeStatus.Running when types.Find(Graph[nodeId].Definition) is { IsPure: true } && progress.PlaceOf(nodeId).Steps == 0:
                await FinishPureAsync(draft, AttemptOf(draft.State, runId, nodeId)!, cancellationToken);
                break;
            case NodeStatus.WaitingForChild when ReportsFor(node) is [var report, ..]:
                draft.Add(report.Body);
                break;
            case NodeStatus.Running or NodeStatus.Suspended or NodeStatus.WaitingForChild:
                Repeat(draft, nodeId, node, mayFail);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(nodeId), node.Status, "The node is not in the middle of anything.");
        }
    }

    /// <summary>Repeats what is recorded: the whole result of a running node, one answer to a suspended one.</summary>
    private void Repeat(Draft draft, string nodeId, NodeState node, bool mayFail)
    {
        var remainder = RemainderOf(nodeId, node);
        if (remainder.Count == 0 && mayFail)
            Decisions.AddFailure(draft, nodeId, new NodeError("replay_source_missing", $"The source has no result of node '{nodeId}' to repeat."));

        foreach (var recorded in remainder)
        {
            // A node that cancels the run is cancelled in its turn, among the others.
            if (recorded.Body is NodeCancelled && recorded != remainder[0])
                break;

            draft.Cause = recorded.Event.CauseSequence is { } cause ? progress.SequenceOf(cause) : null;
            RecordedFacts.Repeat(draft, nodeId, recorded.Body);
            draft.Cause = null;
            var now = draft.State.Nodes[nodeId];
            if (now.Status != node.Status || (now is { Status: NodeStatus.Suspended, Interrupt.IsResolved: false }))
                break;
        }
    }

    private IReadOnlyList<RecordedEvent> RemainderOf(string nodeId, NodeState node)
    {
        if (node.Status == NodeStatus.WaitingForChild)
            return [];

        var place = progress.PlaceOf(nodeId);
        var recorded = node.Status == NodeStatus.Suspended
            ? source.AnswersTo(new Question(nodeId, node.Iteration, node.Interrupt!.Request.Key))
            : source.ResultOf(place.Execution);
        return [.. recorded.Skip(place.Steps)];
    }

    /// <summary>The end of the child that a node waits for, as it was reported to the source.</summary>
    private IReadOnlyList<RecordedEvent> ReportsFor(NodeState node) =>
        [.. source.ReportsOf(node.AwaitedChild!).Where(report => report.Body is ChildReported { Status: var status } && ChildRun.IsTerminal(status))];
}
