using System.Text.Json;

namespace OpenWop.Micro.Protocol.Expressions.Evaluation;

/// <summary>
/// Looks into values. Every read is paid for, and text that JSON allows but Unicode does not (half a surrogate pair, written
/// as an escape) is an error value instead of the exception that <see cref="JsonElement"/> throws for it.
/// </summary>
internal sealed class ValueReader(Budget budget)
{
    /// <summary>Comparing names while searching a member is cheap; this many cost a step.</summary>
    private const int MembersPerStep = 32;

    /// <summary>The characters of a string.</summary>
    public bool TryText(Value value, int position, out string text, out Value failure)
    {
        failure = default;
        if (!value.IsFromScope)
        {
            text = value.LiteralText;
            if (budget.SpendText(text.Length))
            {
                return true;
            }

            failure = budget.Exhausted(position);
            return false;
        }

        text = "";
        if (!budget.SpendText(value.RawUtf8.Length))
        {
            failure = budget.Exhausted(position);
            return false;
        }

        try
        {
            text = value.Element.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            failure = NotUnicode(position);
            return false;
        }
    }

    /// <summary>The items of a list, paid per item. The array must not be changed.</summary>
    public bool TryItems(Value list, int position, out Value[] items, out Value failure)
    {
        items = list.Items ?? [];
        failure = default;
        var count = list.IsFromScope ? list.Element.GetArrayLength() : items.Length;
        if (!budget.Spend(count))
        {
            failure = budget.Exhausted(position);
            return false;
        }

        if (list.IsFromScope)
        {
            items = new Value[count];
            var index = 0;
            foreach (var item in list.Element.EnumerateArray())
            {
                items[index++] = Value.From(item);
            }
        }

        return true;
    }

    /// <summary>The item at an index; false when there is none.</summary>
    public bool TryItem(Value list, long index, int position, out Value item)
    {
        var count = list.IsFromScope ? list.Element.GetArrayLength() : list.Items!.Length;
        item = default;
        if (index < 0 || index >= count)
        {
            return false;
        }

        // Inside a document the items before have to be skipped.
        item = !list.IsFromScope ? list.Items![index]
            : budget.Spend(index / MembersPerStep) ? Value.From(list.Element[(int)index])
            : budget.Exhausted(position);
        return true;
    }

    /// <summary>Number of items, members or characters; -1 with a failure.</summary>
    public long Count(Value value, int position, out Value failure)
    {
        failure = default;
        switch (value.Kind)
        {
            case ValueKind.List:
                return value.IsFromScope ? value.Element.GetArrayLength() : value.Items!.Length;
            case ValueKind.Map:
                return value.IsFromScope ? value.Element.GetPropertyCount() : value.Members?.Count ?? value.ScopeMembers!.Count;
            default:
                return TryText(value, position, out var text, out failure) ? CodePoints.Count(text) : -1;
        }
    }

    /// <summary>A member of a map; false when there is none.</summary>
    public bool TryMember(Value map, string name, int position, out Value member)
    {
        member = default;
        if (map.Members is { } members)
        {
            return members.TryGetValue(name, out member);
        }

        if (map.ScopeMembers is { } scopeMembers)
        {
            var found = scopeMembers.TryGetValue(name, out var element);
            member = Value.From(element);
            return found;
        }

        if (!budget.Spend(map.Element.GetPropertyCount() / MembersPerStep))
        {
            member = budget.Exhausted(position);
            return true;
        }

        try
        {
            var found = map.Element.TryGetProperty(name, out var element);
            member = Value.From(element);
            return found;
        }
        catch (InvalidOperationException)
        {
            member = NotUnicode(position);
            return true;
        }
    }

    /// <summary>The members of a map in their order, paid per member. The result must not be changed.</summary>
    public bool TryMembers(Value map, int position, out OrderedDictionary<string, Value> members, out Value failure)
    {
        members = map.Members!;
        failure = default;
        if (!budget.Spend(Count(map, position, out _)))
        {
            failure = budget.Exhausted(position);
            return false;
        }

        if (members is not null)
        {
            return true;
        }

        members = new OrderedDictionary<string, Value>(StringComparer.Ordinal);
        if (map.ScopeMembers is { } scopeMembers)
        {
            foreach (var (name, element) in scopeMembers)
            {
                members[name] = Value.From(element);
            }

            return true;
        }

        try
        {
            foreach (var property in map.Element.EnumerateObject())
            {
                members[property.Name] = Value.From(property.Value);
            }

            return true;
        }
        catch (InvalidOperationException)
        {
            failure = NotUnicode(position);
            return false;
        }
    }

    private static Value NotUnicode(int position) =>
        Value.Error(ExpressionErrorKind.Value, position, "a string of the data is not valid Unicode");
}
