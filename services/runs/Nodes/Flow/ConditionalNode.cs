using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;

namespace OpenWop.Micro.Runs.Nodes.Flow;

/// <summary>
/// <c>core.conditional</c>: decides and follows the edges of its output port <c>true</c> or <c>false</c>. The condition is, in
/// this order, a bool on the input port <c>condition</c>, the config <c>expression</c>, or the config <c>condition</c>: an
/// expression, or <c>{type, left, right, expression}</c> as on edges, where a path may start with an input port.
/// </summary>
internal sealed class ConditionalNode : INodeHandler
{
    private static readonly NodeOutcome WhenTrue = Outcome(true);
    private static readonly NodeOutcome WhenFalse = Outcome(false);

    public string TypeId => "core.conditional";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        var parameters = new NodeParameters(context);
        var result = Decide(context, parameters, out var error);
        return ValueTask.FromResult(
            parameters.HasFailed(out var invalid) ? invalid
            : result is { } decided ? (decided ? WhenTrue : WhenFalse)
            : new NodeOutcome.Failed(error!));
    }

    private static bool? Decide(NodeContext context, NodeParameters parameters, out NodeError? error)
    {
        error = null;
        if (parameters.FindPort("condition") is { } port)
        {
            if (port.ValueKind is JsonValueKind.True or JsonValueKind.False)
            {
                return port.GetBoolean();
            }

            parameters.Reject("condition", "must be true or false as an input port");
            return null;
        }

        if (parameters.ConfigString("expression") is { } expression)
        {
            return NodeExpressions.EvaluateCondition(expression, NodeExpressions.Scope(context), $"'expression' of node '{context.Node.Id}'", out error);
        }

        switch (parameters.FindConfig("condition"))
        {
            case { ValueKind: JsonValueKind.String } text:
                return NodeExpressions.EvaluateCondition(
                    text.GetString()!,
                    NodeExpressions.Scope(context),
                    $"'condition' of node '{context.Node.Id}'",
                    out error);
            case { ValueKind: JsonValueKind.Object } condition:
                return Evaluate(context, parameters, condition, out error);
            default:
                parameters.Reject("condition", "or 'expression' must be given");
                return null;
        }
    }

    private static bool? Evaluate(NodeContext context, NodeParameters parameters, JsonElement condition, out NodeError? error)
    {
        error = null;
        if (!TryText(parameters, condition, "type", out var type)
            || !TryText(parameters, condition, "left", out var left)
            || !TryText(parameters, condition, "expression", out var expression))
        {
            return null;
        }

        var result = EdgeConditions.Evaluate(
            new EdgeCondition(type, left, condition.TryGetProperty("right", out var right) ? right : null, expression),
            new ConditionSource { Status = "running", Outputs = NodeJson.Object(context.Inputs), Scope = NodeExpressions.Scope(context) },
            $"node '{context.Node.Id}'");
        error = result.Error is null ? null : new NodeError("condition_failed", result.Error);
        return error is null ? result.Holds : null;
    }

    private static bool TryText(NodeParameters parameters, JsonElement condition, string name, out string? text)
    {
        text = null;
        if (!condition.TryGetProperty(name, out var member) || member.ValueKind == JsonValueKind.Null)
        {
            return true;
        }

        if (member.ValueKind != JsonValueKind.String)
        {
            parameters.Reject("condition", $"must have a string as '{name}'");
            return false;
        }

        text = member.GetString();
        return true;
    }

    private static NodeOutcome.Completed Outcome(bool result) =>
        new(NodeJson.Object(writer => writer.WriteBoolean("result", result)), [result ? "true" : "false"]);
}
