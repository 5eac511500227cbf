namespace OpenWop.Micro.Protocol.Expressions.Evaluation;

/// <summary>Access by index and membership.</summary>
internal static class Collections
{
    /// <summary><c>list[int]</c> or <c>map[string]</c>.</summary>
    public static Value ItemOrMember(ValueReader reader, Value target, Value index, int position)
    {
        switch (target.Kind, index.Kind)
        {
            case (ValueKind.List, ValueKind.Int):
                return reader.TryItem(target, index.AsInt, position, out var item)
                    ? item
                    : Value.Error(ExpressionErrorKind.Missing, position, "the index is outside the list");
            case (ValueKind.Map, ValueKind.String):
                return !reader.TryText(index, position, out var name, out var failure) ? failure
                    : reader.TryMember(target, name, position, out var member) ? member
                    : Value.Error(ExpressionErrorKind.Missing, position, "there is no such member");
            case (ValueKind.Null, _):
                return Value.Error(ExpressionErrorKind.Missing, position, "there is no such member in null");
            case (ValueKind.List, _):
                return Value.Error(ExpressionErrorKind.Type, position, $"the index of a list must be an int, not {index.Described}");
            case (ValueKind.Map, _):
                return Value.Error(ExpressionErrorKind.Type, position, $"the key of a map must be a string, not {index.Described}");
            default:
                return Value.Error(ExpressionErrorKind.Type, position, $"{target.Described} has no members");
        }
    }

    /// <summary><c>value in list</c> or <c>key in map</c>.</summary>
    public static Value Contains(Budget budget, ValueReader reader, Value value, Value container, int position)
    {
        Value failure;
        switch (container.Kind)
        {
            case ValueKind.Map when value.Kind == ValueKind.String:
                return !reader.TryText(value, position, out var name, out failure) ? failure
                    : !reader.TryMember(container, name, position, out var member) ? Value.False
                    : member.IsError ? member
                    : Value.True;
            case ValueKind.Map:
                return Value.False;
            case ValueKind.List:
                if (!reader.TryItems(container, position, out var items, out failure))
                {
                    return failure;
                }

                var equality = new Equality(budget, reader, position);
                foreach (var item in items)
                {
                    if (equality.AreEqual(item, value))
                    {
                        return Value.True;
                    }

                    if (equality.Failure is { } unequal)
                    {
                        return unequal;
                    }
                }

                return Value.False;
            default:
                return Value.Error(ExpressionErrorKind.Type, position, $"'in' needs a list or a map, not {container.Described}");
        }
    }
}
