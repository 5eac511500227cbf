using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Protocol.Expressions;

namespace OpenWop.Micro.Runs.Nodes;

/// <summary>Expressions in the config of nodes (docs/expressions.md).</summary>
internal static class NodeExpressions
{
    /// <summary>Code when the text is no expression.</summary>
    public const string InvalidCode = "expression_invalid";

    /// <summary>Code when the expression has no value over the data of this run.</summary>
    public const string FailedCode = "expression_failed";

    /// <summary>
    /// What expressions of a node see: the names of any expression of the run, with the node's input ports laid over
    /// <c>inputs</c>, and <c>config</c>.
    /// </summary>
    public static ExpressionScope Scope(NodeContext context) => ExpressionScope
        .ForRun(context.RunId, context.WorkflowId, context.RunInputs, context.Configurable, context.Variables, () => context.NodeOutputs)
        .Add("inputs", () => InputsOf(context))
        .Add("config", context.Node.Config);

    /// <summary>Parses and evaluates; null with the error otherwise.</summary>
    /// <param name="where">Names the expression in messages, such as <c>'expression' of node 'a'</c>.</param>
    public static JsonElement? Evaluate(string text, ExpressionScope scope, string where, ExpressionLimits limits, out NodeError? error)
    {
        if (!Expression.TryParse(text, out var expression, out var invalid))
        {
            error = ToNodeError(InvalidCode, where, invalid);
            return null;
        }

        var result = expression.Evaluate(scope, limits);
        error = result.IsSuccess ? null : ToNodeError(FailedCode, where, result.Error);
        return result.IsSuccess ? result.Value : null;
    }

    /// <summary>Evaluates a condition; null with the error when it gives anything but a bool.</summary>
    public static bool? EvaluateCondition(string text, ExpressionScope scope, string where, out NodeError? error)
    {
        if (Evaluate(text, scope, where, ExpressionLimits.Default, out error) is not { } value)
        {
            return null;
        }

        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return value.GetBoolean();
        }

        error = new NodeError(FailedCode, $"The expression in {where} must give true or false.");
        return null;
    }

    private static NodeError ToNodeError(string code, string where, ExpressionError error) => new(
        code,
        $"The expression in {where} is wrong: {error}.",
        Retryable: false,
        NodeJson.Object(writer => writer.WriteNumber("position", error.Position)));

    private static ImmutableSortedDictionary<string, JsonElement> InputsOf(NodeContext context)
    {
        if (context.RunInputs.ValueKind != JsonValueKind.Object)
        {
            return context.Inputs;
        }

        var inputs = ImmutableSortedDictionary.CreateBuilder<string, JsonElement>(StringComparer.Ordinal);
        foreach (var input in context.RunInputs.EnumerateObject())
        {
            inputs[input.Name] = input.Value;
        }

        foreach (var (name, value) in context.Inputs)
        {
            inputs[name] = value;
        }

        return inputs.ToImmutable();
    }
}
