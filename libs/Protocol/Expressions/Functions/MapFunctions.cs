using OpenWop.Micro.Protocol.Expressions.Evaluation;

namespace OpenWop.Micro.Protocol.Expressions.Functions;

/// <summary>Functions for maps. Members keep their order.</summary>
internal static class MapFunctions
{
    public static Value Keys(Call call) => call.TryMembers(0, out var members, out var failure)
        ? Value.List([.. members.Keys.Select(Value.Text)])
        : failure;

    public static Value Values(Call call) => call.TryMembers(0, out var members, out var failure)
        ? Value.List([.. members.Values])
        : failure;

    /// <summary>A list of <c>{key, value}</c>.</summary>
    public static Value Entries(Call call) => call.TryMembers(0, out var members, out var failure)
        ? Value.List([.. members.Select(member => Value.Map(new(StringComparer.Ordinal) { ["key"] = Value.Text(member.Key), ["value"] = member.Value }))])
        : failure;

    /// <summary>The map of a list of <c>{key, value}</c>; of equal keys the last one counts.</summary>
    public static Value FromEntries(Call call)
    {
        if (!call.TryItems(0, out var items, out var failure))
        {
            return failure;
        }

        var map = new OrderedDictionary<string, Value>(items.Length, StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (item.Kind != ValueKind.Map
                || !call.Reader.TryMember(item, "key", call.Position, out var key)
                || !call.Reader.TryMember(item, "value", call.Position, out var value)
                || (key.Kind != ValueKind.String && !key.IsError))
            {
                return call.Fail(ExpressionErrorKind.Type, "needs items {key, value} with strings as keys");
            }

            if (key.IsError || value.IsError)
            {
                return key.IsError ? key : value;
            }

            if (!call.Reader.TryText(key, call.Position, out var name, out failure))
            {
                return failure;
            }

            map[name] = value;
        }

        return Value.Map(map);
    }

    /// <summary>Members of later maps replace those of earlier ones; not deep.</summary>
    public static Value Merge(Call call)
    {
        var merged = new OrderedDictionary<string, Value>(StringComparer.Ordinal);
        for (var index = 0; index < call.Count; index++)
        {
            if (!call.TryMembers(index, out var members, out var failure))
            {
                return failure;
            }

            foreach (var (name, value) in members)
            {
                merged[name] = value;
            }
        }

        return Value.Map(merged);
    }

    /// <summary>The members with these keys; missing ones stay missing.</summary>
    public static Value Pick(Call call) => Select(call, listed: true);

    public static Value Omit(Call call) => Select(call, listed: false);

    private static Value Select(Call call, bool listed)
    {
        if (!call.TryMembers(0, out var members, out var failure) || !call.TryTextItems(1, out var keys, out failure))
        {
            return failure;
        }

        var names = keys.ToHashSet(StringComparer.Ordinal);
        var selected = new OrderedDictionary<string, Value>(StringComparer.Ordinal);
        foreach (var (name, value) in members)
        {
            if (names.Contains(name) == listed)
            {
                selected.Add(name, value);
            }
        }

        return Value.Map(selected);
    }
}
