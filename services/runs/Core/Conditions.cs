using System.Text.Json;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>Expressions and edge conditions over the state of a run.</summary>
internal static class Conditions
{
    public static (bool Live, NodeError? Error) Evaluate(RunState state, GraphEdge edge, NodeState source) => (true, null);

    public static (JsonElement? Value, NodeError? Error) EvaluateExpression(RunState state, WorkflowGraph graph, string text, string where) =>
        (null, new NodeError("expression_failed", where));
}
