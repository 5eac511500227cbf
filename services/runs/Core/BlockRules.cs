using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>How blocks follow one another (docs/nodes.md, "Blocks").</summary>
internal static class BlockRules
{
    private const string NoHandle = "output";

    /// <summary>
    /// Whether a block may start whose edges are all decided: when one of them is live, or when it has none. What a disabled block
    /// leads to is as if it were not connected to it.
    /// </summary>
    public static (bool Starts, NodeError? Error) Decide(RunState state, GraphNode node)
    {
        var isRoot = true;
        foreach (var edge in node.Incoming)
        {
            if (edge.IsBackEdge || edge.Source.Definition.Disabled)
                continue;

            isRoot = false;
            var (live, error) = EdgeRules.IsLive(state, edge);
            if (live || error is not null)
                return (live, error);
        }

        return (isRoot, null);
    }

    /// <summary>The rule of an edge from a block; null = the edge's own.</summary>
    public static TriggerRule? RuleOf(WorkflowEdge edge, GraphNode source) =>
        source.IsBlock && edge.SourceOutput == BlockTypes.ErrorHandle ? TriggerRule.AnyFailed : null;

    /// <summary>
    /// Whether the handle of an edge is taken, given that its source has ended as the edge's rule wants it: <c>error</c> after a
    /// failure, <c>success</c> after a success, <c>true</c> and <c>false</c> by the decision in the output, others when the output
    /// names them as <c>branch</c>. Without a handle: when no other is taken.
    /// </summary>
    public static bool IsTaken(GraphEdge edge, NodeState source)
    {
        var handle = edge.Definition.SourceOutput;
        return source.Status == NodeStatus.Failed
            || (handle == NoHandle ? !edge.Source.Outgoing.Exists(other => IsNamed(other) && Takes(other.Definition.SourceOutput, source)) : Takes(handle, source));
    }

    private static bool IsNamed(GraphEdge edge) => edge.Definition.SourceOutput is not (NoHandle or BlockTypes.ErrorHandle);

    private static bool Takes(string handle, NodeState source) => handle switch
    {
        "success" => true,
        "true" => DecisionOf(source.Outputs) == true,
        "false" => DecisionOf(source.Outputs) == false,
        _ => source.Outputs.StringMember("branch") == handle,
    };

    private static bool? DecisionOf(JsonElement outputs) => (outputs.Member("result") ?? outputs.Member("approved"))?.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };
}
