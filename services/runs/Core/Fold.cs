using System.Collections.Immutable;
using OpenWop.Micro.Protocol.Events;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// The fold: <c>state × event → state</c>. Recovery, replay, snapshots and <c>values</c> frames all use this one function,
/// so that they cannot disagree.
/// </summary>
internal static class Fold
{
    public static RunState Apply(RunState state, RunEvent @event)
    {
        var next = @event.Body switch
        {
            RunStarted started => Started(state, started, @event.Timestamp),
            NodeStarted started => Started(state, started, @event.Timestamp),
            NodeCompleted completed => WithNode(state with { Cost = Sum(state.Cost, completed.Cost) }, completed.Node, node => node with
            {
                Status = NodeStatus.Completed,
                Outputs = completed.Outputs,
                MaskedOutputs = completed.MaskedOutputs,
                LivePorts = completed.LivePorts,
                LoopState = completed.LoopState,
                Inputs = null,
                Error = null,
                DueAt = null,
                EndedAt = @event.Timestamp,
            }),
            NodeFailed failed => WithNode(state with { Cost = Sum(state.Cost, failed.Cost) }, failed.Node, node => node with
            {
                Status = NodeStatus.Failed,
                Error = failed.Error,
                Inputs = null,
                DueAt = null,
                EndedAt = @event.Timestamp,
            }),
            NodeRetried retried => WithNode(state with { Cost = Sum(state.Cost, retried.Cost) }, retried.Node, node => node with
            {
                Status = NodeStatus.RetryWait,
                Attempt = retried.Attempt,
                Error = retried.LastError,
                DueAt = retried.DueAt,
            }),
            InterruptRequested requested => WithNode(state, requested.Node, node => node with
            {
                Interrupt = new OpenInterrupt(requested.Interrupt, "", @event.Sequence, @event.Timestamp),
            }),
            NodeSuspended suspended => WithNode(state, suspended.Node, node => node with
            {
                Status = NodeStatus.Suspended,
                Interrupt = node.Interrupt! with { Id = suspended.InterruptId },
                DueAt = suspended.DueAt,
            }),
            ApprovalReceived received => WithNode(state, received.Node, node => node with { Interrupt = Counted(node.Interrupt!, received) }),
            InterruptResolved resolved => WithNode(state, resolved.Node, node => node with
            {
                Interrupt = node.Interrupt! with { IsResolved = true },
                DueAt = null,
            }),
            NodeResumed resumed => WithNode(state, resumed.Node, node => node with
            {
                Status = NodeStatus.Running,
                Resolved = node.Resolved.SetItem(resumed.Key, resumed.Value),
            }),
            PauseRequested requested => state with { PauseRequested = new PendingPause(requested.Reason, requested.DrainPolicy, @event.Timestamp) },
            RunPaused => state with { Status = RunStatus.Paused, PauseRequested = null, PausedAt = @event.Timestamp },
            RunResumed => state with { Status = RunStatus.Running, PausedAt = null },
            NodeSkipped skipped => WithNode(state, skipped.Node, node => node with { Status = NodeStatus.Skipped, EndedAt = @event.Timestamp }),
            NodeCancelled cancelled => WithNode(state, cancelled.Node, node => node with
            {
                Status = NodeStatus.Cancelled,
                DueAt = null,
                EndedAt = @event.Timestamp,
            }),
            VariableChanged changed => state with
            {
                Variables = state.Variables.SetItem(changed.Name, changed.Value),
                SensitiveVariables = changed.Sensitive ? state.SensitiveVariables.Add(changed.Name) : state.SensitiveVariables,
            },
            NodeEmitted { Type: EventTypes.VersionPinned } pinned => AgentEvents.Pinned(state, pinned),
            NodeEmitted { Type: EventTypes.MemoryWritten } written => MemoryDecisions.Written(state, written),
            OutputChunk chunk => WithNode(state, chunk.Node, node => node with { Streamed = StreamedText.Add(node.Streamed, chunk) }),
            OrchestratorDecided decided => AgentEvents.Decided(state, decided, @event.Sequence),
            ChildStarted started => ChildFold.Started(state, started, @event.Sequence),
            ChildAwaited awaited => ChildFold.Awaited(state, awaited),
            ChildReported reported => ChildFold.Reported(state, reported),
            ArtifactCreated created => Artifacts.Created(state, created, @event.Sequence),
            ChannelWritten written => ChannelFold.Apply(state, written, @event),
            RunCompleted completed => state with { Status = RunStatus.Completed, Outputs = completed.Outputs, EndedAt = @event.Timestamp },
            RunFailed failed => state with { Status = RunStatus.Failed, Error = failed.Error, EndedAt = @event.Timestamp },
            RunCancelled cancelled => state with
            {
                Status = RunStatus.Cancelled,
                IsCancelledByParent = cancelled.ParentRunId is not null,
                EndedAt = @event.Timestamp,
            },
            _ => state,
        };
        if (@event.Body is NodeCompleted { EndsRun: true })
            next = next with { IsEnding = true };

        if (@event.Body is NodeCompleted or NodeFailed or NodeCancelled)
            next = ChildFold.DropResults(next, @event.Body.NodeId!);

        if (@event.Request is { } request)
            next = HandledRequests.Add(next, request, @event.Timestamp);

        return next with { LastSequence = @event.Sequence };
    }

    public static RunState ApplyAll(RunState state, IEnumerable<RunEvent> events) => events.Aggregate(state, Apply);

    private static RunState Started(RunState state, RunStarted started, DateTimeOffset at) => state with
    {
        Status = RunStatus.Running,
        RunId = started.RunId,
        WorkflowId = started.WorkflowId,
        Options = started.Options,
        Origin = started.Origin,
        Inputs = started.Inputs,
        Variables = started.Variables,
        Channels = started.Channels,
        SensitiveVariables = started.SensitiveVariables,
        RecursionLimit = started.RecursionLimit,
        Deadline = started.Deadline,
        TimeoutMs = started.TimeoutMs,
        StartedAt = at,
    };

    private static RunState Started(RunState state, NodeStarted started, DateTimeOffset at)
    {
        state = started.Resets.Length == 0 ? state : Reset(state, started);
        var before = started.Attempt > 0 ? state.Nodes.GetValueOrDefault(started.Node) : null;
        var node = new NodeState(started.DelayUntil is null ? NodeStatus.Running : NodeStatus.Delayed)
        {
            Attempt = started.Attempt,
            Iteration = started.Iteration,
            StartedAt = at,
            Inputs = started.Inputs,
            Resolved = before?.Resolved ?? RunState.EmptyValues,
            ChildRuns = before?.ChildRuns ?? [],
            Waits = before?.Waits ?? 0,
            DueAt = started.DelayUntil,
            Outputs = started.DelayedOutputs ?? default,
        };
        return state with { Nodes = state.Nodes.SetItem(started.Node, node), NodeExecutions = state.NodeExecutions + 1, Agent = started.Agent ?? state.Agent };
    }

    /// <summary>
    /// Another iteration: the nodes of the loop become untouched again. Their count of executions goes on; the head keeps
    /// its loop state; loops inside start from scratch.
    /// </summary>
    private static RunState Reset(RunState state, NodeStarted head)
    {
        var nodes = state.Nodes.ToBuilder();
        var loops = state.Loops.ToBuilder();
        foreach (var id in head.Resets)
        {
            if (!nodes.TryGetValue(id, out var node))
            {
                continue;
            }

            var memory = loops.GetValueOrDefault(id) ?? new LoopMemory(0, null, 0);
            var executed = node.Status == NodeStatus.Skipped ? 0 : 1;
            loops[id] = id == head.Node
                ? new LoopMemory(memory.Executions + executed, node.LoopState, memory.Loopbacks + 1)
                : new LoopMemory(memory.Executions + executed, null, 0);
            nodes.Remove(id);
        }

        return state with { Nodes = nodes.ToImmutable(), Loops = loops.ToImmutable() };
    }

    private static OpenInterrupt Counted(OpenInterrupt interrupt, ApprovalReceived received) => received.Voter is { } voter
        ? interrupt with { Votes = [.. interrupt.Votes.Where(vote => vote.Voter != voter), new Vote(voter, received.Action)] }
        : interrupt;

    private static Cost? Sum(Cost? left, Cost? right) => left is null ? right : right is null ? left : left + right;

    private static RunState WithNode(RunState state, string nodeId, Func<NodeState, NodeState> change)
    {
        var node = state.Nodes.GetValueOrDefault(nodeId) ?? new NodeState(NodeStatus.Running) { Iteration = state.Loops.GetValueOrDefault(nodeId)?.Executions ?? 0 };
        return state with { Nodes = state.Nodes.SetItem(nodeId, change(node)) };
    }
}
