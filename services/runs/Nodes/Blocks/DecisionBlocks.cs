using System.Text.Json;

namespace OpenWop.Micro.Runs.Nodes.Blocks;

/// <summary><c>condition</c>: compares two values.</summary>
internal sealed class ConditionBlock : PureBlock
{
    public override string TypeId => "condition";

    protected override NodeOutcome Execute(NodeContext context, NodeParameters parameters)
    {
        var operation = parameters.RequiredString("operator");
        var left = parameters.Find("left");
        var right = parameters.Find("right");
        if (Decide(operation, left, right) is not { } decided)
        {
            parameters.Reject("operator", "is not known");
            return new NodeOutcome.Completed(NodeJson.EmptyObject);
        }

        return new NodeOutcome.Completed(NodeJson.Object(writer => writer.WriteBoolean("result", decided)));
    }

    /// <summary>Whether a comparison holds; null when there is no such operator.</summary>
    internal static bool? Decide(string operation, JsonElement? left, JsonElement? right) => operation switch
    {
        "equals" => AreEqual(left, right),
        "not_equals" => !AreEqual(left, right),
        "greater" => Compare(left, right) > 0,
        "greater_or_equal" => Compare(left, right) >= 0,
        "less" => Compare(left, right) < 0,
        "less_or_equal" => Compare(left, right) <= 0,
        "contains" => Contains(left, right),
        "exists" => left is not null,
        "not_exists" => left is null,
        "is_true" => left is { ValueKind: JsonValueKind.True },
        _ => null,
    };

    private static bool AreEqual(JsonElement? left, JsonElement? right) => (left, right) switch
    {
        ({ } a, { } b) => JsonElement.DeepEquals(a, b) || (TextOf(a) is { } text && text == TextOf(b)),
        _ => left is null && right is null,
    };

    /// <summary>Numbers by value, else texts by their characters; null when the two cannot be compared.</summary>
    private static int? Compare(JsonElement? left, JsonElement? right) => (NumberOf(left), NumberOf(right)) switch
    {
        ({ } a, { } b) => a.CompareTo(b),
        _ when left is { ValueKind: JsonValueKind.String } a && right is { ValueKind: JsonValueKind.String } b => string.CompareOrdinal(a.GetString(), b.GetString()),
        _ => null,
    };

    private static bool Contains(JsonElement? left, JsonElement? right) => left switch
    {
        { ValueKind: JsonValueKind.String } text => right is { } part && TextOf(part) is { } found && text.GetString()!.Contains(found, StringComparison.Ordinal),
        { ValueKind: JsonValueKind.Array } list => list.EnumerateArray().Any(item => AreEqual(item, right)),
        { ValueKind: JsonValueKind.Object } map => right is { ValueKind: JsonValueKind.String } name && map.TryGetProperty(name.GetString()!, out _),
        _ => false,
    };

    internal static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => null,
    };

    internal static decimal? NumberOf(JsonElement? value) => value switch
    {
        { ValueKind: JsonValueKind.Number } number when number.TryGetDecimal(out var exact) => exact,
        { ValueKind: JsonValueKind.String } text
            when decimal.TryParse(text.GetString(), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var read) => read,
        _ => null,
    };
}

/// <summary><c>switch</c>: names the handle whose case the value is.</summary>
internal sealed class SwitchBlock : PureBlock
{
    public override string TypeId => "switch";

    protected override NodeOutcome Execute(NodeContext context, NodeParameters parameters)
    {
        var value = parameters.Find("value") is { } given ? ConditionBlock.TextOf(given) : null;
        var branch = parameters.Object("cases") is { } cases ? CaseOf(cases, value) : value;
        return new NodeOutcome.Completed(NodeJson.Object(writer => writer.WriteString("branch", branch ?? "")));
    }

    private static string? CaseOf(JsonElement cases, string? value)
    {
        foreach (var handle in cases.EnumerateObject())
        {
            var stands = handle.Value.ValueKind == JsonValueKind.Array
                ? handle.Value.EnumerateArray().Any(item => ConditionBlock.TextOf(item) == value)
                : ConditionBlock.TextOf(handle.Value) == value;
            if (stands && value is not null)
                return handle.Name;
        }

        return null;
    }
}
