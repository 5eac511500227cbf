using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// What a command or a result leads to, as events added to a <see cref="Draft"/>. Pure: time comes from the draft. Every
/// decision checks that it still applies, so that a command delivered twice decides nothing the second time.
/// </summary>
internal static class Decisions
{
    /// <summary>Cap of the time that a run may take, and the error of a run that took longer.</summary>
    public const string RunDuration = "run-duration";

    public const string RunTimeout = "run_timeout";

    /// <summary>Why nodes of a cancelled run are cancelled.</summary>
    public const string RunCancelledReason = "run-cancelled";

    /// <summary>The result of an attempt. Ignored when the node has moved on (cancelled, retried, another iteration).</summary>
    public static void NodeFinished(Draft draft, WorkflowGraph graph, NodeResult result)
    {
        if (CurrentAttempt(draft, result.NodeId, result.Attempt, result.Iteration, result.Turn) is not { } node)
            return;

        draft.Cause = result.CauseSequence;
        foreach (var line in result.LogLines)
        {
            draft.Add(new LogAppended(line.Level, line.Message, line.Fields, result.NodeId));
        }

        AgentEvents.Add(draft, result, afterSuspension: false);
        AddOutcome(draft, graph, node, result);
        AgentEvents.Add(draft, result, afterSuspension: true);
        draft.Cause = null;
    }

    /// <summary>An event of an attempt that goes on. Ignored like a result when the node has moved on.</summary>
    public static void NodeEmitted(Draft draft, NodeEmission emission)
    {
        if (CurrentAttempt(draft, emission.NodeId, emission.Attempt, emission.Iteration, emission.Turn) is not null)
            draft.Add(emission.Body);
    }

    /// <summary>The node, if it still is in the attempt that something comes from.</summary>
    private static NodeState? CurrentAttempt(Draft draft, string nodeId, int attempt, int iteration, int turn) =>
        !draft.State.IsTerminal
        && draft.State.Nodes.TryGetValue(nodeId, out var node)
        && node.Status == NodeStatus.Running
        && (node.Attempt, node.Iteration, node.Turn) == (attempt, iteration, turn)
            ? node
            : null;

    private static void AddOutcome(Draft draft, WorkflowGraph graph, NodeState node, NodeResult result)
    {
        switch (result.Outcome)
        {
            case NodeOutcome.Completed completed:
                AddCompleted(draft, graph, node, result, completed);
                break;
            case NodeOutcome.Failed failed:
                AddFailed(draft, graph, node, result, failed.Error);
                break;
            case NodeOutcome.Cancelled cancelled:
                Cancel(draft, cancelled.Reason, cancelledBy: null);
                break;
            case NodeOutcome.Suspended suspended:
                Suspend(draft, graph, node, result, suspended.Interrupt);
                break;
            case NodeOutcome.WaitingForChild waiting when ChildDecisions.IsOfSource(draft.State, waiting.ChildRunId):
                AddFailed(draft, graph, node, result, new NodeError("child_of_source", "The node waits for a child of the run that was forked."));
                break;
            case NodeOutcome.WaitingForChild waiting
                when result.StartedChildren.Any(child => child.RunId == waiting.ChildRunId) || node.ChildRuns.Contains(waiting.ChildRunId):
                AddWaiting(draft, graph, node, result, waiting.ChildRunId);
                break;
            default:
                AddFailed(draft, graph, node, result, new NodeError("node_outcome_invalid", "The node waits for something that it cannot wait for."));
                break;
        }
    }

    /// <summary>Delays that are over, or all of them, complete their nodes.</summary>
    public static void CompleteDelays(Draft draft, WorkflowGraph graph, bool onlyDue)
    {
        foreach (var (nodeId, node) in draft.State.Nodes)
        {
            if (node.Status == NodeStatus.Delayed && (!onlyDue || node.DueAt <= draft.Now))
                CompleteDelay(draft, graph, nodeId);
        }
    }

    /// <summary>Completes a node that waits for a time.</summary>
    public static void CompleteDelay(Draft draft, WorkflowGraph graph, string nodeId)
    {
        var node = draft.State.Nodes[nodeId];
        draft.Add(new NodeCompleted(nodeId, node.Outputs)
        {
            MaskedOutputs = Masking.Outputs(node.Outputs, graph[nodeId].Definition.SensitiveOutputs),
            DurationMs = (long)(draft.Now - node.StartedAt).TotalMilliseconds,
        });
    }

    /// <summary>Fails the run when its time is over.</summary>
    public static void EnforceDeadline(Draft draft)
    {
        if (draft.State is { IsTerminal: false, Deadline: { } deadline } state && deadline <= draft.Now)
        {
            var elapsed = (long)(draft.Now - state.StartedAt).TotalMilliseconds;
            draft.Add(new CapBreached(RunDuration, state.TimeoutMs, Math.Max(elapsed, state.TimeoutMs + 1), Node: null));
            Fail(draft, new NodeError(RunTimeout, $"The run took longer than {state.TimeoutMs} ms."), nodeId: null);
        }
    }

    /// <summary>Cancels a live run and everything in it; nothing for a run that is over.</summary>
    public static void Cancel(Draft draft, string? reason, string? cancelledBy, string? parentRunId = null)
    {
        if (draft.State.IsTerminal)
        {
            return;
        }

        CancelActiveNodes(draft, RunCancelledReason);
        draft.Add(new RunCancelled(reason, cancelledBy, Duration(draft)) { ParentRunId = parentRunId });
    }

    public static void Fail(Draft draft, NodeError error, string? nodeId)
    {
        CancelActiveNodes(draft, "run-failed");
        draft.Add(new RunFailed(error, nodeId, Duration(draft)));
    }

    public static void BreachNodeLimit(Draft draft, string nodeId)
    {
        var limit = draft.State.RecursionLimit;
        draft.Add(new CapBreached("node-executions", limit, limit + 1, nodeId));
        Fail(draft, new NodeError("recursion_limit_exceeded", $"The run would start more than {limit} nodes."), nodeId);
    }

    public static void BreachLoopLimit(Draft draft, string headId, int limit)
    {
        draft.Add(new LoopbackLimit(headId, limit + 1, limit));
        Fail(draft, new NodeError("loop_limit_exceeded", $"Node '{headId}' would be repeated more than {limit} times."), headId);
    }

    /// <summary>Completes the run; what is still active, because a node has ended the run before its end, is cancelled.</summary>
    public static void Complete(Draft draft, WorkflowGraph graph)
    {
        var outputs = RunOutputs(draft.State, graph);
        if (NodeLimits.CheckRunOutputs(outputs) is { } error)
        {
            Fail(draft, error, nodeId: null);
            return;
        }

        CancelActiveNodes(draft, "run-completed");
        draft.Add(new RunCompleted(outputs, Duration(draft)));
    }

    /// <summary>Delay before an attempt (1 = the first retry): grows by the node's factor up to its bound.</summary>
    public static long RetryDelayMs(NodeSettings settings, int attempt) =>
        (long)Math.Min(settings.RetryMaxDelayMs, settings.RetryDelayMs * Math.Pow(settings.RetryBackoff, attempt - 1));

    /// <summary>A failure that another attempt cannot help.</summary>
    public static void AddFailure(Draft draft, string nodeId, NodeError error) =>
        draft.Add(new NodeFailed(nodeId, error, (draft.State.Nodes.GetValueOrDefault(nodeId)?.Attempt ?? 0) + 1));

    private static void AddCompleted(Draft draft, WorkflowGraph graph, NodeState node, NodeResult result, NodeOutcome.Completed completed)
    {
        if (AddWrites(draft, graph, result) is { } refusal)
        {
            AddFailed(draft, graph, node, result, refusal);
            return;
        }

        ChildDecisions.AddStarted(draft, result, awaited: null);
        draft.Add(new NodeCompleted(result.NodeId, completed.Outputs)
        {
            Cost = result.Cost,
            MaskedOutputs = Masking.Outputs(completed.Outputs, graph[result.NodeId].Definition.SensitiveOutputs),
            LivePorts = completed.LivePorts is null ? null : [.. completed.LivePorts],
            LoopState = completed.LoopState,
            EndsRun = completed.EndsRun,
            DurationMs = (long)(draft.Now - node.StartedAt).TotalMilliseconds,
        });
    }

    /// <summary>What was written so far is kept: the next execution goes on behind it.</summary>
    private static void AddWaiting(Draft draft, WorkflowGraph graph, NodeState node, NodeResult result, string childRunId)
    {
        if (AddWrites(draft, graph, result) is { } refusal)
            AddFailed(draft, graph, node, result, refusal);
        else
            ChildDecisions.AddStarted(draft, result, childRunId);
    }

    private static void Suspend(Draft draft, WorkflowGraph graph, NodeState node, NodeResult result, Interrupt interrupt)
    {
        if (AddWrites(draft, graph, result) is { } refusal)
            AddFailed(draft, graph, node, result, refusal);
        else
            InterruptDecisions.Suspend(draft, result.NodeId, node, interrupt);
    }

    /// <summary>Adds what an attempt has written, all of it or, with the reason returned, nothing.</summary>
    private static NodeError? AddWrites(Draft draft, WorkflowGraph graph, NodeResult result)
    {
        foreach (var write in result.VariableWrites)
        {
            if (graph.Definition.Channels?.ContainsKey(write.Name) == true)
                return new NodeError("validation_error", $"'{write.Name}' is a channel of the workflow and cannot be set like a variable.");
        }

        var (channelEvents, refusal) = ChannelDecisions.Plan(draft.State, graph.Definition, graph[result.NodeId].Definition, result.ChannelWrites, draft.Now);
        if ((refusal ?? Artifacts.Refusal(draft.State, result) ?? MemoryDecisions.Refusal(draft.State, result)) is { } reason)
            return reason;

        foreach (var write in result.VariableWrites)
        {
            var changed = new VariableChanged(
                write.Name,
                write.Value,
                draft.State.Variables.TryGetValue(write.Name, out var previous) ? previous : null,
                result.NodeId,
                write.IsSensitive || draft.State.SensitiveVariables.Contains(write.Name));
            draft.Add(changed);
            LegacyChannels.Add(draft, changed);
        }

        foreach (var @event in channelEvents)
            draft.Add(@event);

        Artifacts.Add(draft, draft.State.Nodes[result.NodeId], result);
        MemoryDecisions.Add(draft, result);
        return null;
    }

    private static void AddFailed(Draft draft, WorkflowGraph graph, NodeState node, NodeResult result, NodeError error)
    {
        var nodeId = result.NodeId;
        var definition = graph[nodeId].Definition;
        var retries = definition.Settings.MaxRetries ?? graph.Definition.Settings.MaxRetries;
        if (error.Retryable && node.Attempt < retries)
        {
            var attempt = node.Attempt + 1;
            var delay = RetryDelayMs(definition.Settings, attempt);
            draft.Add(new NodeRetried(nodeId, attempt, delay, error, draft.Now.AddMilliseconds(delay)) { Cost = result.Cost });
        }
        else
        {
            draft.Add(new NodeFailed(nodeId, error, node.Attempt + 1) { Cost = result.Cost });
        }
    }

    private static void CancelActiveNodes(Draft draft, string reason)
    {
        foreach (var (nodeId, node) in draft.State.Nodes)
        {
            if (!node.IsSettled)
            {
                draft.Add(new NodeCancelled(nodeId, reason));
            }
        }
    }

    private static long Duration(Draft draft) => (long)(draft.Now - draft.State.StartedAt).TotalMilliseconds;

    /// <summary>
    /// The outputs of the run are those of its completed <c>core.end</c> nodes, or, when it has none, of the nodes without
    /// outgoing edges: of a single one as they are, of several as an object by node id.
    /// </summary>
    private static JsonElement RunOutputs(RunState state, WorkflowGraph graph)
    {
        var ends = graph.Nodes.Where(node => node.Definition.TypeId == "core.end" && IsCompleted(node)).ToList();
        if (ends.Count == 0)
        {
            ends = [.. graph.Nodes.Where(node => node.Outgoing.Count == 0 && IsCompleted(node))];
        }

        return ends.Count switch
        {
            0 => JsonValues.EmptyObject,
            1 => Shown(ends[0]),
            _ => JsonValues.Object(writer =>
            {
                foreach (var end in ends)
                {
                    writer.WritePropertyName(end.Id);
                    Shown(end).WriteTo(writer);
                }
            }),
        };

        bool IsCompleted(GraphNode node) => state.Nodes.TryGetValue(node.Id, out var touched) && touched.Status == NodeStatus.Completed;
        JsonElement Shown(GraphNode node) => state.Nodes[node.Id].MaskedOutputs ?? state.Nodes[node.Id].Outputs;
    }
}

/// <summary>What an attempt came to, addressed so that a late or repeated result can be recognized.</summary>
internal sealed record NodeResult(string NodeId, int Attempt, int Iteration, NodeOutcome Outcome)
{
    /// <summary>The result of the attempt that a context was made for, with all that the handler asked of it.</summary>
    public static NodeResult Of(NodeContext context, NodeOutcome outcome) => new(context.Node.Id, context.Attempt, context.Iteration, outcome)
    {
        VariableWrites = context.VariableWrites,
        ChannelWrites = context.ChannelWrites,
        LogLines = context.LogLines,
        StartedChildren = context.StartedChildren,
        Events = context.Events,
        Artifacts = context.Artifacts,
        Memory = context.MemoryChanges,
        Cost = context.Cost,
        CauseSequence = context.CauseSequence,
        Turn = context.Turn,
    };

    /// <summary>Answers and children that the execution knew of: a result of an earlier one is late.</summary>
    public int Turn { get; init; }

    public IReadOnlyList<VariableWrite> VariableWrites { get; init; } = [];
    public IReadOnlyList<ChannelWrite> ChannelWrites { get; init; } = [];
    public IReadOnlyList<StartedChild> StartedChildren { get; init; } = [];
    public IReadOnlyList<NodeEvent> Events { get; init; } = [];
    public IReadOnlyList<ArtifactDraft> Artifacts { get; init; } = [];
    public IReadOnlyList<MemoryChange> Memory { get; init; } = [];
    public Cost? Cost { get; init; }

    /// <summary>The event that the attempt acted on.</summary>
    public long? CauseSequence { get; init; }
    public IReadOnlyList<LogLine> LogLines { get; init; } = [];
}
