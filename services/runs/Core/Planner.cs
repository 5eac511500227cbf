using System.Collections.Immutable;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>What may happen now.</summary>
internal abstract record Step
{
    private Step()
    {
    }

    /// <summary>Start a node; <paramref name="Loop"/> is set when a back edge leads into it.</summary>
    public sealed record Start(GraphNode Node, GraphLoop? Loop = null) : Step;

    public sealed record Skip(GraphNode Node, string Reason) : Step;

    /// <summary>The node limit is reached: breach the cap and fail.</summary>
    public sealed record BreachNodeLimit(GraphNode Node) : Step;

    /// <summary>The loop has been followed as often as it may.</summary>
    public sealed record BreachLoopLimit(GraphNode Head, int Limit) : Step;

    public sealed record Fail(NodeError Error, string? NodeId) : Step;

    public sealed record Complete : Step;
}

/// <summary>
/// The plan: <c>state × graph → steps</c>. How a node becomes ready:
/// <list type="number">
/// <item>A node is decided once every forward edge into it is settled: its source has ended, and the loops that the edge
/// leaves have come to rest.</item>
/// <item>An edge is live when its source completed, its output port is live and its condition holds.</item>
/// <item>The edges are grouped by trigger rule; every group must hold, else the node is skipped.</item>
/// <item>A failure without an edge that handles it fails the run.</item>
/// <item>When nothing can start inside a loop and one of its back edges is live, its head starts over.</item>
/// <item>Blocks have rules of their own: one live edge is enough, and a failure that nothing handles fails the run once all else has
/// ended.</item>
/// <item>A node may say that the run is complete, whatever else is active.</item>
/// <item>When nothing can start, nothing runs and nothing waits, the run is complete.</item>
/// </list>
/// </summary>
internal static class Planner
{
    /// <summary>All steps possible in this state, in document order. Empty when the run waits or is over.</summary>
    public static ImmutableArray<Step> Next(RunState state, WorkflowGraph graph)
    {
        if (state.Status != RunStatus.Running || state.PauseRequested is not null)
        {
            return [];
        }

        if (state.IsEnding)
        {
            return [new Step.Complete()];
        }

        if (UnhandledFailure(state, graph, ofBlocks: false) is { } failure)
        {
            return [failure];
        }

        var (steps, active) = Decide(state, graph, new LoopRest(state, ignoreLoops: false));
        if (steps.IsEmpty && NextIteration(state, graph) is { } again)
        {
            return [again];
        }

        if (!steps.IsEmpty || active)
        {
            return steps;
        }

        // Loops that share nodes without one containing the other can wait for each other: then nobody waits.
        (steps, _) = Decide(state, graph, new LoopRest(state, ignoreLoops: true));
        return steps.IsEmpty ? [UnhandledFailure(state, graph, ofBlocks: true) ?? (Step)new Step.Complete()] : steps;
    }

    /// <summary>
    /// The step of one untouched node, whatever else is going on; null while it is not decided. <see cref="Next"/> returns the steps
    /// of several nodes at once, and each of them is taken even if one before it changes what would be planned next.
    /// </summary>
    public static Step? StepOf(RunState state, WorkflowGraph graph, string nodeId) => state.Nodes.ContainsKey(nodeId)
        ? null
        : Decide(state, graph[nodeId], new LoopRest(state, ignoreLoops: false)) ?? Decide(state, graph[nodeId], new LoopRest(state, ignoreLoops: true));

    private static (ImmutableArray<Step> Steps, bool Active) Decide(RunState state, WorkflowGraph graph, LoopRest rest)
    {
        var steps = ImmutableArray.CreateBuilder<Step>();
        var active = false;
        foreach (var node in graph.Nodes)
        {
            if (state.Nodes.TryGetValue(node.Id, out var touched))
            {
                active |= !touched.IsSettled;
            }
            else if (Decide(state, node, rest) is { } step)
            {
                if (step is Step.Fail)
                {
                    return ([step], active);
                }

                steps.Add(step);
            }
        }

        return (steps.DrainToImmutable(), active);
    }

    private static Step.Fail? UnhandledFailure(RunState state, WorkflowGraph graph, bool ofBlocks)
    {
        foreach (var node in graph.Nodes)
        {
            if (node.IsBlock == ofBlocks && state.Nodes.TryGetValue(node.Id, out var touched) && touched.Status == NodeStatus.Failed && !node.HandlesFailure)
            {
                return new Step.Fail(touched.Error!, node.Id);
            }
        }

        return null;
    }

    private static Step? Decide(RunState state, GraphNode node, LoopRest rest)
    {
        foreach (var edge in node.Incoming)
        {
            if (!edge.IsBackEdge && !(IsSettled(state, edge.Source) && rest.AllAtRest(edge.Leaves)))
            {
                return null;
            }
        }

        if (node.Definition.Disabled)
        {
            return new Step.Skip(node, "disabled");
        }

        if (node.IsBlock)
        {
            return BlockRules.Decide(state, node) switch
            {
                (_, { } error) => new Step.Fail(error, node.Id),
                (true, _) => StartOf(state, node, loop: null),
                _ => new Step.Skip(node, "no connection into the block is live"),
            };
        }

        foreach (var rule in Enum.GetValues<TriggerRule>())
        {
            var (holds, error) = RuleHolds(state, node, rule);
            if (error is not null)
            {
                return new Step.Fail(error, node.Id);
            }

            if (!holds)
            {
                return new Step.Skip(node, $"trigger rule {EdgeRules.NameOf(rule)} not met");
            }
        }

        return StartOf(state, node, loop: null);
    }

    private static Step StartOf(RunState state, GraphNode node, GraphLoop? loop) =>
        state.NodeExecutions >= state.RecursionLimit ? new Step.BreachNodeLimit(node) : new Step.Start(node, loop);

    private static (bool Holds, NodeError? Error) RuleHolds(RunState state, GraphNode node, TriggerRule rule)
    {
        var edges = 0;
        var live = 0;
        var failed = 0;
        foreach (var edge in node.Incoming)
        {
            if (edge.IsBackEdge || edge.Rule != rule)
            {
                continue;
            }

            edges++;
            var result = EdgeRules.IsLive(state, edge);
            if (result.Error is not null)
            {
                return (false, result.Error);
            }

            live += result.Live ? 1 : 0;
            failed += state.Nodes[edge.Source.Id].Status is NodeStatus.Failed or NodeStatus.Cancelled ? 1 : 0;
        }

        var holds = edges == 0 || rule switch
        {
            TriggerRule.AllSuccess or TriggerRule.AllComplete => live == edges,
            TriggerRule.AnySuccess or TriggerRule.AnyFailed => live > 0,
            TriggerRule.NoneFailed => failed == 0 && live > 0,
            _ => false,
        };
        return (holds, null);
    }

    /// <summary>The innermost loop whose nodes have all ended and whose head a live back edge leads to.</summary>
    private static Step? NextIteration(RunState state, WorkflowGraph graph)
    {
        foreach (var loop in graph.Loops)
        {
            var (live, error) = LiveBackEdge(state, loop);
            if (error is not null)
            {
                return new Step.Fail(error, loop.Head.Id);
            }

            if (!live)
            {
                continue;
            }

            var loopbacks = state.Loops.GetValueOrDefault(loop.Head.Id)?.Loopbacks ?? 0;
            var limit = graph.Definition.Settings.MaxLoopbackIterations;
            return loop.Head.BoundsItsLoop || loopbacks < limit
                ? StartOf(state, loop.Head, loop)
                : new Step.BreachLoopLimit(loop.Head, limit);
        }

        return null;
    }

    private static (bool Live, NodeError? Error) LiveBackEdge(RunState state, GraphLoop loop)
    {
        foreach (var node in loop.Body)
        {
            if (!IsSettled(state, node))
            {
                return (false, null);
            }
        }

        foreach (var edge in loop.BackEdges)
        {
            var result = EdgeRules.IsLive(state, edge);
            if (result.Live || result.Error is not null)
            {
                return result;
            }
        }

        return (false, null);
    }

    private static bool IsSettled(RunState state, GraphNode node) => state.Nodes.TryGetValue(node.Id, out var touched) && touched.IsSettled;

    /// <summary>Remembers for one plan which loops have come to rest.</summary>
    private sealed class LoopRest(RunState state, bool ignoreLoops)
    {
        private readonly Dictionary<GraphLoop, bool> known = [];

        public bool AllAtRest(ImmutableArray<GraphLoop> loops)
        {
            if (ignoreLoops)
            {
                return true;
            }

            foreach (var loop in loops)
            {
                if (!known.TryGetValue(loop, out var atRest))
                {
                    known[loop] = atRest = loop.Body.All(node => IsSettled(state, node)) && LiveBackEdge(state, loop) is { Live: false, Error: null };
                }

                if (!atRest)
                {
                    return false;
                }
            }

            return true;
        }
    }
}
