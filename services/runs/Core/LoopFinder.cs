using System.Collections.Frozen;
using System.Collections.Immutable;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Finds the loops of a graph: a depth-first search marks the edges that lead back to a node still being visited; all back
/// edges into one head form one loop, whose body is what lies between the head and them, inner loops included.
/// </summary>
internal static class LoopFinder
{
    public static ImmutableArray<GraphLoop> Find(ImmutableArray<GraphNode> nodes)
    {
        MarkBackEdges(nodes);
        var loops = nodes
            .Where(node => node.Incoming.Exists(edge => edge.IsBackEdge))
            .Select(head => new GraphLoop(head, BodyOf(head), [.. head.Incoming.Where(edge => edge.IsBackEdge)]))
            .OrderBy(loop => loop.Body.Count)
            .ThenBy(loop => loop.Head.Index)
            .ToImmutableArray();

        foreach (var loop in loops)
        {
            foreach (var node in loop.Body)
            {
                node.Loops.Add(loop);
                foreach (var edge in node.Outgoing.Where(edge => !edge.IsBackEdge && !loop.Body.Contains(edge.Target)))
                {
                    edge.Leaves = edge.Leaves.Add(loop);
                }
            }
        }

        return loops;
    }

    /// <summary>Iterative, so that a chain of thousands of nodes does not exhaust the stack.</summary>
    private static void MarkBackEdges(ImmutableArray<GraphNode> nodes)
    {
        var visited = new bool[nodes.Length];
        var onPath = new bool[nodes.Length];
        var path = new Stack<(GraphNode Node, int NextEdge)>();

        // Nodes without incoming edges first; what they do not reach is a cycle of its own, entered at its first node.
        foreach (var root in nodes.Where(node => node.Incoming.Count == 0).Concat(nodes))
        {
            if (visited[root.Index])
            {
                continue;
            }

            visited[root.Index] = onPath[root.Index] = true;
            path.Push((root, 0));
            while (path.TryPop(out var step))
            {
                if (step.NextEdge == step.Node.Outgoing.Count)
                {
                    onPath[step.Node.Index] = false;
                    continue;
                }

                path.Push((step.Node, step.NextEdge + 1));
                var edge = step.Node.Outgoing[step.NextEdge];
                if (onPath[edge.Target.Index])
                {
                    edge.IsBackEdge = true;
                }
                else if (!visited[edge.Target.Index])
                {
                    visited[edge.Target.Index] = onPath[edge.Target.Index] = true;
                    path.Push((edge.Target, 0));
                }
            }
        }
    }

    /// <summary>
    /// What the head leads to and what leads back to it, also through the back edges of loops further inside, but not
    /// through those of loops around it.
    /// </summary>
    private static FrozenSet<GraphNode> BodyOf(GraphNode head)
    {
        var reachable = Spread([head], node => node.Outgoing.Where(edge => !edge.IsBackEdge).Select(edge => edge.Target));
        var body = Spread(
            head.Incoming.Where(edge => edge.IsBackEdge).Select(edge => edge.Source),
            node => node == head ? [] : node.Incoming.Where(edge => !edge.IsBackEdge || reachable.Contains(edge.Target)).Select(edge => edge.Source));
        body.IntersectWith(reachable);
        return body.ToFrozenSet();
    }

    private static HashSet<GraphNode> Spread(IEnumerable<GraphNode> start, Func<GraphNode, IEnumerable<GraphNode>> next)
    {
        var seen = new HashSet<GraphNode>();
        var open = new Stack<GraphNode>(start);
        while (open.TryPop(out var node))
        {
            if (seen.Add(node))
            {
                foreach (var neighbor in next(node))
                {
                    open.Push(neighbor);
                }
            }
        }

        return seen;
    }
}
