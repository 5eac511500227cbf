using System.Text.Json;
using OpenWop.Micro.Protocol.Expressions;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>Expressions and edge conditions over the state of a run.</summary>
internal static class Conditions
{
    /// <summary>Whether the condition of an edge holds for its settled source; one that cannot be evaluated fails the run.</summary>
    public static (bool Live, NodeError? Error) Evaluate(RunState state, GraphEdge edge, NodeState source)
    {
        var result = EdgeConditions.Evaluate(edge.Definition, new ConditionSource
        {
            Status = source.Status switch
            {
                NodeStatus.Completed => "completed",
                NodeStatus.Failed => "failed",
                NodeStatus.Cancelled => "cancelled",
                _ => "skipped",
            },
            Outputs = source.Outputs,
            Scope = ScopeOf(state),
        });
        return (result.Holds, result.Error is { } error ? new NodeError("condition_failed", error) : null);
    }

    /// <summary>The value of an expression that belongs to the run, such as that of an input port.</summary>
    public static (JsonElement? Value, NodeError? Error) EvaluateExpression(RunState state, string text, string where)
    {
        if (!Expression.TryParse(text, out var expression, out var error))
            return (null, new NodeError("expression_invalid", $"The expression of {where} is not valid: {error}."));

        var result = expression.Evaluate(ScopeOf(state));
        return result.Error is { } failure
            ? (null, new NodeError("expression_failed", $"The expression of {where} failed: {failure}."))
            : (result.Value, null);
    }

    private static ExpressionScope ScopeOf(RunState state) => ExpressionScope.ForRun(
        state.RunId,
        state.WorkflowId,
        state.Inputs.IsDefined() ? state.Inputs : JsonValues.EmptyObject,
        state.Options is { Configurable: { } configurable } && configurable.IsDefined() ? configurable : JsonValues.EmptyObject,
        state.Variables,
        state.CompletedOutputs);
}
