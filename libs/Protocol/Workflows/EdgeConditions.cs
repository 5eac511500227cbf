using System.Text.Json;
using OpenWop.Micro.Protocol.Expressions;
using OpenWop.Micro.Protocol.Expressions.Evaluation;
using OpenWop.Micro.Protocol.Expressions.Functions;

namespace OpenWop.Micro.Protocol.Workflows;

/// <summary>What a condition looks at.</summary>
public sealed record ConditionSource
{
    /// <summary>Status of the source node, such as <c>completed</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Outputs of the source node; undefined when it has none.</summary>
    public JsonElement Outputs { get; init; }

    /// <summary>The names that a condition may use besides those of the source's result.</summary>
    public required ExpressionScope Scope { get; init; }
}

/// <summary>Whether a condition holds, or why that cannot be said.</summary>
/// <param name="Holds">False as well when there is an error.</param>
/// <param name="Error">One sentence naming the edge or node, or null.</param>
public readonly record struct ConditionResult(bool Holds, string? Error = null);

/// <summary>
/// Conditions on edges (spec/runs-streams-replay.md 1.3). They depend on the source's result and the state of the run alone,
/// so that a replay decides the same. Evaluation never throws and is bounded like that of any expression.
/// </summary>
public static class EdgeConditions
{
    private static readonly JsonElement EmptyObject = JsonElement.Parse("{}"u8);

    /// <summary>Evaluates the condition of an edge; one without a condition holds.</summary>
    public static ConditionResult Evaluate(WorkflowEdge edge, ConditionSource source)
    {
        ArgumentNullException.ThrowIfNull(edge);
        return edge.Condition is null ? new ConditionResult(true) : Evaluate(edge.Condition, source, $"edge '{edge.Id}'");
    }

    /// <summary>
    /// Evaluates a condition. <c>left</c> is a path of names and list indexes separated by dots (docs/nodes.md); where it leads
    /// to nothing it counts as null. <c>equals</c> is deep and compares numbers by value. <c>contains</c> asks for a part of a
    /// string, an item of a list or a key of an object. <c>regex</c> is false for anything but a string.
    /// </summary>
    /// <param name="where">Names the place in error messages.</param>
    public static ConditionResult Evaluate(EdgeCondition condition, ConditionSource source, string where)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(source);
        return condition switch
        {
            { Type: null, Left: null, Right: null, Expression: null } => new ConditionResult(true),
            { Type: "expression" or null, Expression: { } text } => EvaluateExpression(text, source, where),
            { Type: "expression" } => Invalid(where, "has no expression"),
            { Type: null } => Invalid(where, "has no type"),
            { Left: null or "" } => Invalid(where, "has no left side"),
            { Right: null } => Invalid(where, "has no right side"),
            _ => Compare(condition.Type, condition.Left, Value.From(condition.Right.Value), source, where),
        };
    }

    private static ConditionResult EvaluateExpression(string text, ConditionSource source, string where)
    {
        if (!Expression.TryParse(text, out var expression, out var error))
        {
            return Invalid(where, $"has an expression that is wrong: {error}");
        }

        var result = expression.Evaluate(ResultScope(source));
        return !result.IsSuccess ? Invalid(where, $"cannot be evaluated: {result.Error}")
            : result.Value.ValueKind is JsonValueKind.True or JsonValueKind.False ? new ConditionResult(result.Value.GetBoolean())
            : Invalid(where, "must give true or false");
    }

    private static ConditionResult Compare(string type, string path, Value right, ConditionSource source, string where)
    {
        var budget = new Budget(ExpressionLimits.Default);
        var reader = new ValueReader(budget);
        var left = ConditionPath.Resolve(reader, path, ResultScope(source));
        if (left.IsError)
        {
            return Invalid(where, $"cannot be evaluated: {left.AsError.Message}");
        }

        var result = type switch
        {
            "equals" => AreEqual(budget, reader, left, right),
            "notEquals" => Not(AreEqual(budget, reader, left, right)),
            "contains" => Contains(budget, reader, left, right),
            "regex" => Matches(reader, left, right),
            _ => Value.Error(ExpressionErrorKind.Value, 0, $"the type '{type}' is unknown"),
        };
        return result.IsError ? Invalid(where, $"cannot be evaluated: {result.AsError.Message}") : new ConditionResult(result.AsBool);
    }

    private static ExpressionScope ResultScope(ConditionSource source)
    {
        var outputs = Value.From(source.Outputs.ValueKind == JsonValueKind.Undefined ? EmptyObject : source.Outputs);
        return new ExpressionScope(source.Scope)
            .Add("status", Value.Text(source.Status))
            .Add("outputs", outputs)
            .Add("output", DefaultPort(outputs));
    }

    /// <summary>The port <c>output</c>, or all outputs when the node has no port of that name.</summary>
    private static Value DefaultPort(Value outputs) =>
        outputs.Kind == ValueKind.Map
        && new ValueReader(new Budget(ExpressionLimits.Default)).TryMember(outputs, "output", 0, out var port)
        && !port.IsError ? port : outputs;

    private static Value AreEqual(Budget budget, ValueReader reader, Value left, Value right)
    {
        var equality = new Equality(budget, reader, 0);
        var equal = equality.AreEqual(left, right);
        return equality.Failure ?? Value.Bool(equal);
    }

    private static Value Not(Value value) => value.IsError ? value : Value.Bool(!value.AsBool);

    private static Value Contains(Budget budget, ValueReader reader, Value left, Value right) => left.Kind switch
    {
        ValueKind.List or ValueKind.Map => Collections.Contains(budget, reader, right, left, 0),
        ValueKind.String when right.Kind == ValueKind.String =>
            !reader.TryText(left, 0, out var text, out var failure) ? failure
            : !reader.TryText(right, 0, out var part, out failure) ? failure
            : Value.Bool(text.Contains(part, StringComparison.Ordinal)),
        _ => Value.False,
    };

    private static Value Matches(ValueReader reader, Value left, Value right)
    {
        if (right.Kind != ValueKind.String)
        {
            return Value.Error(ExpressionErrorKind.Type, 0, "the pattern must be a string");
        }

        if (!reader.TryText(right, 0, out var pattern, out var failure))
        {
            return failure;
        }

        if (!Patterns.TryCompile(pattern, out var regex, out var reason))
        {
            return Value.Error(ExpressionErrorKind.Value, 0, reason);
        }

        return left.Kind != ValueKind.String ? Value.False
            : !reader.TryText(left, 0, out var text, out failure) ? failure
            : Patterns.IsMatch(regex, text) is { } matches ? Value.Bool(matches)
            : Value.Error(ExpressionErrorKind.Limit, 0, "matching takes too long");
    }

    private static ConditionResult Invalid(string where, string problem) => new(false, $"The condition of {where} {problem}.");
}
