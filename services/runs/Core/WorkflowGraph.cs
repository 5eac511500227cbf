using System.Collections.Frozen;
using System.Collections.Immutable;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Protocol.Workflows;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// A definition prepared for planning: edges by node, and the loops that its back edges form. Immutable, shared by all
/// runs of the same version.
/// </summary>
internal sealed class WorkflowGraph
{
    private readonly FrozenDictionary<string, GraphNode> byId;

    /// <param name="connectors">The block types of the host; null = the built-in ones.</param>
    public WorkflowGraph(WorkflowDefinition definition, ConnectorSet? connectors = null)
    {
        Definition = definition;
        connectors ??= ConnectorSet.BuiltIn;
        var nodes = definition.Nodes.Select((node, index) => new GraphNode(node, index, connectors.IsBlock(node.TypeId))).ToArray();
        Nodes = [.. nodes];
        byId = nodes.ToFrozenDictionary(node => node.Id, StringComparer.Ordinal);
        foreach (var edge in definition.Edges)
        {
            var target = byId[edge.TargetNodeId];
            var source = byId[edge.SourceNodeId];
            var graphEdge = new GraphEdge(edge, source, target, BlockRules.RuleOf(edge, source) ?? edge.TriggerRule ?? TriggerRules.DefaultFor(target.Definition.TypeId));
            graphEdge.Source.Outgoing.Add(graphEdge);
            graphEdge.Target.Incoming.Add(graphEdge);
        }

        Loops = LoopFinder.Find(Nodes);
        StartsChildren = nodes.Any(node => node.StartsChildren);
        Names = new Lazy<BlockNames>(() => new BlockNames(definition.Nodes.Select(node => (node.Id, (string?)node.Name))));
    }

    public WorkflowDefinition Definition { get; }

    /// <summary>True when runs of this workflow may hear from children.</summary>
    public bool StartsChildren { get; }

    /// <summary>The names by which blocks refer to nodes.</summary>
    public Lazy<BlockNames> Names { get; }

    /// <summary>Nodes in document order, the order in which simultaneous readiness is resolved.</summary>
    public ImmutableArray<GraphNode> Nodes { get; }

    /// <summary>Loops, inner ones before the loops that contain them.</summary>
    public ImmutableArray<GraphLoop> Loops { get; }

    public GraphNode this[string nodeId] => byId[nodeId];

    public GraphNode? Find(string nodeId) => byId.GetValueOrDefault(nodeId);
}

/// <summary>A node with its edges.</summary>
internal sealed class GraphNode(WorkflowNode definition, int index, bool isBlock)
{
    public WorkflowNode Definition { get; } = definition;
    public int Index { get; } = index;
    public string Id => Definition.Id;
    public List<GraphEdge> Incoming { get; } = [];
    public List<GraphEdge> Outgoing { get; } = [];

    /// <summary>Whether the rules of blocks hold for it (docs/nodes.md).</summary>
    public bool IsBlock { get; } = isBlock;

    /// <summary>Loops that the node belongs to.</summary>
    public List<GraphLoop> Loops { get; } = [];

    /// <summary>True when the node bounds its own iterations, so that the workflow's loopback limit does not apply to it.</summary>
    public bool BoundsItsLoop => Definition.TypeId is "core.loop" or "core.orchestrator.supervisor";

    /// <summary>True when the node may start other runs.</summary>
    public bool StartsChildren => Definition.TypeId is "core.subWorkflow" or "core.dispatch" or "sub_workflow" or "for_each";

    /// <summary>True when a failure of this node has a way out other than failing the run.</summary>
    public bool HandlesFailure => Outgoing.Exists(edge => edge.Rule is TriggerRule.AnyFailed or TriggerRule.AllComplete && !(IsBlock && edge.Target.Definition.Disabled));
}

/// <summary>An edge between graph nodes.</summary>
internal sealed class GraphEdge(WorkflowEdge definition, GraphNode source, GraphNode target, TriggerRule rule)
{
    public WorkflowEdge Definition { get; } = definition;
    public GraphNode Source { get; } = source;
    public GraphNode Target { get; } = target;
    public TriggerRule Rule { get; } = rule;

    /// <summary>True when following the edge starts another iteration of a loop.</summary>
    public bool IsBackEdge { get; set; }

    /// <summary>Loops that the edge leaves: it is decided when they have come to rest.</summary>
    public ImmutableArray<GraphLoop> Leaves { get; set; } = [];
}

/// <summary>A loop: its head and the nodes that repeat, head included.</summary>
internal sealed record GraphLoop(GraphNode Head, FrozenSet<GraphNode> Body, ImmutableArray<GraphEdge> BackEdges)
{
    public bool Equals(GraphLoop? other) => ReferenceEquals(this, other);
    public override int GetHashCode() => Head.Index;
}
