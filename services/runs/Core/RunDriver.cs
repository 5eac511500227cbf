using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>An attempt to execute once the draft that starts it is committed.</summary>
internal sealed record NodeWork(INodeHandler Handler, NodeContext Context);

/// <summary>
/// Drives a draft as far as it goes without the outside world:
/// <list type="number">
/// <item>what is due happens: the deadline, delays that are over, next attempts;</item>
/// <item>the planner says which nodes start, are skipped, or end the run;</item>
/// <item>pure nodes are executed on the spot, so that a chain of them becomes one append; the others are returned as work
/// for after the commit;</item>
/// <item>again, until nothing more can happen now or the draft is full.</item>
/// </list>
/// </summary>
internal class RunDriver(WorkflowGraph graph, NodeTypes types)
{
    /// <summary>A draft with this many events is committed before the run goes on.</summary>
    public const int DraftLimit = 512;

    /// <summary>Secrets of all nodes; options do not change, so they are collected once.</summary>
    private ImmutableArray<string>? runSecretIds;

    public WorkflowGraph Graph => graph;

    /// <summary>A draft on a state, for this driver to advance.</summary>
    public virtual Draft NewDraft(RunState state, DateTimeOffset now) => new(state, now);

    /// <summary>Returns the work to do after the commit; <paramref name="runId"/> addresses the contexts.</summary>
    public virtual async ValueTask<(ImmutableArray<NodeWork> Work, bool MoreToDo)> AdvanceAsync(Draft draft, string runId, CancellationToken cancellationToken)
    {
        var work = ImmutableArray.CreateBuilder<NodeWork>();
        Decisions.EnforceDeadline(draft);
        if (!draft.State.IsTerminal && ChannelVersions.Check(draft.State, graph.Definition) is { } breaking)
        {
            Decisions.Fail(draft, breaking, nodeId: null);
        }

        if (draft.State.Status == RunStatus.Running)
        {
            PauseDecisions.TakeEffect(draft, graph);
        }

        if (draft.State.Status == RunStatus.Running && draft.State.PauseRequested is null)
        {
            Decisions.CompleteDelays(draft, graph, onlyDue: true);
            await StartDueAttemptsAsync(draft, runId, work, cancellationToken);
            InterruptDecisions.TimeOutDue(draft);
            await GoOnResumedAsync(draft, runId, work, cancellationToken);
        }

        while (draft.Events.Count < DraftLimit)
        {
            var steps = Planner.Next(draft.State, graph);
            if (steps.IsEmpty)
            {
                return (work.DrainToImmutable(), MoreToDo: false);
            }

            foreach (var step in steps)
            {
                // A step was decided on the state before its predecessors; a pure node among them may have ended the run.
                if (draft.State.IsTerminal)
                {
                    break;
                }

                await TakeAsync(draft, runId, step, work, cancellationToken);
            }
        }

        return (work.DrainToImmutable(), MoreToDo: !draft.State.IsTerminal);
    }

    /// <summary>The attempt that a node in state <see cref="NodeStatus.Running"/> was in the middle of, for recovery.</summary>
    public virtual NodeWork? Resume(RunState state, string runId, string nodeId) => AttemptOf(state, runId, nodeId);

    /// <summary>The current attempt of a running node; null when its type is gone.</summary>
    protected NodeWork? AttemptOf(RunState state, string runId, string nodeId)
    {
        var node = graph[nodeId];
        return types.Find(node.Definition) is { } handler && state.Nodes.TryGetValue(nodeId, out var touched)
            ? new NodeWork(handler, ContextOf(
                state,
                runId,
                node,
                touched.Attempt,
                touched.Iteration,
                touched.Inputs ?? RunState.EmptyValues,
                TimeOf(nodeId, touched.Attempt, touched.Iteration, touched.StartedAt)))
            : null;
    }

    /// <summary>Nodes whose interrupt has just been resolved, or whose child has just ended, are executed again, with what came of it.</summary>
    private async ValueTask GoOnResumedAsync(Draft draft, string runId, ImmutableArray<NodeWork>.Builder work, CancellationToken cancellationToken)
    {
        var resumed = draft.Events.Select(@event => @event.Body).Where(body => LetsGoOn(draft.State, body)).Select(body => body.NodeId!).Distinct().ToList();
        foreach (var nodeId in resumed)
        {
            if (draft.State.IsTerminal || draft.State.Nodes[nodeId].Status != NodeStatus.Running || Resume(draft.State, runId, nodeId) is not { } item)
                continue;

            if (item.Handler.IsPure)
                await FinishPureAsync(draft, item, cancellationToken);
            else
                work.Add(item);
        }
    }

    /// <summary>Children report at any time; only the end of the one that the node waits for lets it go on.</summary>
    private static bool LetsGoOn(RunState state, RunEventBody body) =>
        body is NodeResumed or ChildAwaited || (body is ChildReported reported && state.Nodes.GetValueOrDefault(reported.Node)?.AwaitedChild == reported.ChildRunId);

    /// <summary>Executes a running pure node on the spot.</summary>
    protected async ValueTask FinishPureAsync(Draft draft, NodeWork item, CancellationToken cancellationToken)
    {
        var outcome = await ExecutePureAsync(item.Handler, item.Context, cancellationToken);
        Decisions.NodeFinished(draft, graph, NodeResult.Of(item.Context, outcome));
    }

    /// <summary>The time that an attempt sees.</summary>
    /// <param name="startedAt">When it started.</param>
    protected virtual DateTimeOffset TimeOf(string nodeId, int attempt, int iteration, DateTimeOffset startedAt) => startedAt;

    private async ValueTask StartDueAttemptsAsync(Draft draft, string runId, ImmutableArray<NodeWork>.Builder work, CancellationToken cancellationToken)
    {
        foreach (var (nodeId, node) in draft.State.Nodes)
        {
            if (draft.State.IsTerminal)
            {
                return;
            }

            if (node.Status == NodeStatus.RetryWait && node.DueAt <= draft.Now)
            {
                await (draft.State.NodeExecutions >= draft.State.RecursionLimit
                    ? TakeAsync(draft, runId, new Step.BreachNodeLimit(graph[nodeId]), work, cancellationToken)
                    : StartAsync(draft, runId, graph[nodeId], loop: null, node.Attempt, work, cancellationToken));
            }
        }
    }

    protected async ValueTask TakeAsync(Draft draft, string runId, Step step, ImmutableArray<NodeWork>.Builder work, CancellationToken cancellationToken)
    {
        switch (step)
        {
            case Step.Start when draft.State.NodeExecutions >= draft.State.RecursionLimit:
                // Predecessors in the same plan have used up the limit; the next plan says so.
                break;
            case Step.Start start:
                await StartAsync(draft, runId, start.Node, start.Loop, attempt: 0, work, cancellationToken);
                break;
            case Step.Skip skip:
                draft.Add(new NodeSkipped(skip.Node.Id, skip.Reason));
                break;
            case Step.BreachNodeLimit breach:
                Decisions.BreachNodeLimit(draft, breach.Node.Id);
                break;
            case Step.BreachLoopLimit breach:
                Decisions.BreachLoopLimit(draft, breach.Head.Id, breach.Limit);
                break;
            case Step.Fail fail:
                Decisions.Fail(draft, fail.Error, fail.NodeId);
                break;
            case Step.Complete:
                Decisions.Complete(draft, graph);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(step));
        }
    }

    protected async ValueTask StartAsync(
        Draft draft, string runId, GraphNode node, GraphLoop? loop, int attempt, ImmutableArray<NodeWork>.Builder work, CancellationToken cancellationToken)
    {
        var before = draft.State;
        var touched = before.Nodes.GetValueOrDefault(node.Id);
        var iteration = attempt > 0 && touched is not null ? touched.Iteration : NextIteration(before, node, loop);
        var started = new NodeStarted(node.Id, node.Definition.TypeId, attempt, iteration)
        {
            Agent = AgentRefs.Of(node.Definition.Agent),
            Resets = loop is null ? [] : [.. loop.Body.OrderBy(member => member.Index).Select(member => member.Id)],
        };

        if (types.Find(node.Definition) is not { } handler)
        {
            var error = new NodeError("capability_not_provided", $"This server has no node type '{node.Definition.TypeId}'.");
            Decisions.Fail(draft, error, node.Id);
            return;
        }

        if (NodeTypes.MissingCapability(handler) is { } missing)
        {
            Decisions.Fail(draft, new NodeError("capability_not_provided", $"Node type '{handler.TypeId}' requires '{missing}', which this server does not provide."), node.Id);
            return;
        }

        var (inputs, unresolved) = attempt > 0 && touched?.Inputs is { } recorded ? (recorded, null) : NodeInputs.Resolve(before, node);

        // What a node with outside effects gets is recorded with its start.
        unresolved ??= handler.IsPure ? null : NodeLimits.CheckInputs(inputs);
        if (unresolved is not null)
        {
            draft.Add(started);
            Decisions.NodeFinished(draft, graph, new NodeResult(node.Id, attempt, iteration, new NodeOutcome.Failed(unresolved)) { Turn = draft.State.Nodes[node.Id].Turn });
            return;
        }

        var context = ContextOf(before, runId, node, attempt, iteration, inputs, TimeOf(node.Id, attempt, iteration, draft.Now), loop);
        if (!handler.IsPure)
        {
            draft.Add(started with { Inputs = inputs });
            work.Add(new NodeWork(handler, context));
            return;
        }

        var outcome = await ExecutePureAsync(handler, context, cancellationToken);
        if (outcome is NodeOutcome.Delayed delayed)
        {
            // A pure node decides from its context alone when it goes on: its start and its time are one event.
            draft.Add(started with { DelayUntil = delayed.Until, DelayedOutputs = delayed.Outputs });
            return;
        }

        draft.Add(started);
        Decisions.NodeFinished(draft, graph, NodeResult.Of(context, outcome));
    }

    private static async ValueTask<NodeOutcome> ExecutePureAsync(INodeHandler handler, NodeContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await handler.ExecuteAsync(context, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return new NodeOutcome.Failed(new NodeError("node_crashed", $"Node type '{handler.TypeId}' failed unexpectedly ({exception.GetType().Name})."));
        }
    }

    /// <summary>Executions of the node before this one; a head that starts over has had one more, unless it was skipped.</summary>
    private static int NextIteration(RunState state, GraphNode node, GraphLoop? loop) =>
        (state.Loops.GetValueOrDefault(node.Id)?.Executions ?? 0)
        + (loop is null || state.Nodes.GetValueOrDefault(node.Id) is not { Status: not NodeStatus.Skipped } ? 0 : 1);

    private IReadOnlyList<SecretRequirement> SecretsOf(GraphNode node, JsonElement configurable) =>
        types.Find(node.Definition) is { IsPure: false } handler && !node.Definition.Disabled ? handler.SecretsOf(node.Definition, configurable) : [];

    private NodeContext ContextOf(
        RunState state,
        string runId,
        GraphNode node,
        int attempt,
        int iteration,
        ImmutableSortedDictionary<string, JsonElement> inputs,
        DateTimeOffset now,
        GraphLoop? loop = null)
    {
        // What this execution has asked and started so far; another iteration begins anew.
        var options = state.Options!;
        var touched = state.Nodes.GetValueOrDefault(node.Id);
        var same = loop is null && touched?.Attempt == attempt ? touched : null;
        var configurable = options.Configurable.IsDefined() ? options.Configurable : JsonValues.EmptyObject;
        runSecretIds ??= [.. graph.Nodes.SelectMany(other => SecretsOf(other, configurable)).Select(secret => secret.SecretId).Distinct(StringComparer.Ordinal)];
        return new NodeContext
        {
            Tenant = options.Tenant,
            SecretRequirements = runSecretIds.Value.IsEmpty ? [] : [.. SecretsOf(node, configurable)],
            RunSecretIds = runSecretIds.Value,
            Streamed = same?.Streamed,
            RunId = runId,
            WorkflowId = state.WorkflowId,
            Node = node.Definition,
            Blocks = node.IsBlock ? graph.Names : null,
            Attempt = attempt,
            Iteration = iteration,
            Now = now,
            Inputs = inputs,
            Resolved = same?.Resolved ?? RunState.EmptyValues,
            Turn = same?.Turn ?? 0,
            RunInputs = state.Inputs,
            Variables = state.Variables,
            SensitiveVariables = state.SensitiveVariables,
            Channels = state.Channels,
            ChannelDeclarations = graph.Definition.Channels,
            LoadNodeOutputs = state.CompletedOutputs,
            Configurable = configurable,
            LoopState = loop is null ? state.Loops.GetValueOrDefault(node.Id)?.State : touched?.LoopState,
            Orchestration = state.Orchestration,
            Pins = state.Pins,
            Trace = options,
            RunStartedAt = state.StartedAt,
            Remembered = state.Remembered,
            ChildCount = state.Children.Count,
            ChildResults = same is null ? [] : [.. same.ChildRuns.Select(child => state.Children[child].Result).OfType<ChildResult>()],
            Children = same is null ? [] : [.. same.ChildRuns.Select(child => new KnownChild(child, state.Children[child].Result))],
            Origin = new ChildOrigin(
                runId, node.Id, state.WorkflowId, iteration, same?.ChildRuns.Length ?? 0, options.Parent?.RootRunId ?? runId, options.Parent?.Depth ?? 0)
            {
                Tenant = options.Tenant,
                Principal = options.Principal,
                IsTest = options.IsTest,
                ScopeId = options.ScopeId,
                Traceparent = SpanIdentity.WithinAttempt(runId, options, node.Id, iteration, attempt) is { } within ? SpanIdentity.Format(within) : null,
                Lineage = options.Lineage,
            },
        };
    }
}
