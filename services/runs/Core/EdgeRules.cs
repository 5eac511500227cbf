using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>When an edge is live (spec/runs-streams-replay.md 1.3).</summary>
internal static class EdgeRules
{
    /// <summary>
    /// Whether a settled edge is live under its own rule: <c>any_failed</c> follows failures, <c>all_complete</c> every end,
    /// the others completion. A port that the source did not choose, and a condition that does not hold, make it dead.
    /// </summary>
    public static (bool Live, NodeError? Error) IsLive(RunState state, GraphEdge edge)
    {
        var source = state.Nodes[edge.Source.Id];
        var followed = edge.Rule switch
        {
            TriggerRule.AnyFailed => source.Status is NodeStatus.Failed,
            TriggerRule.AllComplete => source.IsSettled,
            _ => source.Status is NodeStatus.Completed,
        };
        if (!followed || !(edge.Source.IsBlock ? BlockRules.IsTaken(edge, source) : IsPortLive(source, edge.Definition.SourceOutput)))
        {
            return (false, null);
        }

        return edge.Definition.Condition is null || source.Status is NodeStatus.Skipped
            ? (true, null)
            : Conditions.Evaluate(state, edge, source);
    }

    public static string NameOf(TriggerRule rule) => rule switch
    {
        TriggerRule.AllSuccess => "all_success",
        TriggerRule.AnySuccess => "any_success",
        TriggerRule.AllComplete => "all_complete",
        TriggerRule.NoneFailed => "none_failed",
        TriggerRule.AnyFailed => "any_failed",
        _ => throw new ArgumentOutOfRangeException(nameof(rule)),
    };

    private static bool IsPortLive(NodeState source, string port) =>
        source.LivePorts is not { } ports || port == "output" || ports.Contains(port);
}
