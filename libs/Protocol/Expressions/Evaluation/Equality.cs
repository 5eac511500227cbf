using System.Text.Json;

namespace OpenWop.Micro.Protocol.Expressions.Evaluation;

/// <summary>
/// Deep equality: numbers by value whatever their type, maps without regard to order, values of different types are
/// unequal. Each compared part costs a step, because parts may be shared: a small expression can make a value whose text
/// would be endless.
/// </summary>
internal sealed class Equality(Budget budget, ValueReader reader, int position) : IEqualityComparer<Value>
{
    /// <summary>Set when the comparison could not be carried through; its answer means nothing then.</summary>
    public Value? Failure { get; private set; }

    bool IEqualityComparer<Value>.Equals(Value left, Value right) => AreEqual(left, right);

    public bool AreEqual(Value left, Value right)
    {
        if (Failure is not null)
        {
            return false;
        }

        if (!budget.Spend(1))
        {
            return Fail(budget.Exhausted(position));
        }

        if (left.IsNumber && right.IsNumber)
        {
            // Numbers of the scope may have more digits than a double.
            return left.IsFromScope && right.IsFromScope
                ? JsonElement.DeepEquals(left.Element, right.Element)
                : Ordering.CompareNumbers(left, right) == 0;
        }

        return left.Kind == right.Kind && left.Kind switch
        {
            ValueKind.Null => true,
            ValueKind.Bool => left.AsBool == right.AsBool,
            ValueKind.String => AreEqualTexts(left, right),
            ValueKind.List => AreEqualLists(left, right),
            _ => AreEqualMaps(left, right),
        };
    }

    /// <summary>Equal values have equal hashes.</summary>
    public int GetHashCode(Value value)
    {
        if (Failure is not null || !budget.Spend(1))
        {
            Fail(budget.Exhausted(position));
            return 0;
        }

        var failure = default(Value);
        switch (value.Kind)
        {
            case ValueKind.Bool:
                return value.AsBool ? 1 : 2;
            case ValueKind.Int or ValueKind.Double:
                return value.AsDouble == 0 ? 3 : value.AsDouble.GetHashCode();
            case ValueKind.String when reader.TryText(value, position, out var text, out failure):
                return text.GetHashCode(StringComparison.Ordinal);
            case ValueKind.List when reader.TryItems(value, position, out var items, out failure):
                return items.Aggregate(5, (hash, item) => HashCode.Combine(hash, GetHashCode(item)));
            case ValueKind.Map when reader.TryMembers(value, position, out var members, out failure):
                return members.Aggregate(7, (hash, member) => hash ^ HashCode.Combine(member.Key, GetHashCode(member.Value)));
            case ValueKind.Null:
                return 0;
            default:
                Fail(failure);
                return 0;
        }
    }

    private bool AreEqualTexts(Value left, Value right) =>
        reader.TryText(left, position, out var first, out var failure) && reader.TryText(right, position, out var second, out failure)
            ? first == second
            : Fail(failure);

    private bool AreEqualLists(Value left, Value right)
    {
        if (reader.Count(left, position, out _) != reader.Count(right, position, out _))
        {
            return false;
        }

        if (!reader.TryItems(left, position, out var first, out var failure) || !reader.TryItems(right, position, out var second, out failure))
        {
            return Fail(failure);
        }

        for (var index = 0; index < first.Length; index++)
        {
            if (!AreEqual(first[index], second[index]))
            {
                return false;
            }
        }

        return true;
    }

    private bool AreEqualMaps(Value left, Value right)
    {
        if (!reader.TryMembers(left, position, out var first, out var failure) || !reader.TryMembers(right, position, out var second, out failure))
        {
            return Fail(failure);
        }

        if (first.Count != second.Count)
        {
            return false;
        }

        foreach (var (name, value) in first)
        {
            if (!second.TryGetValue(name, out var other) || !AreEqual(value, other))
            {
                return false;
            }
        }

        return true;
    }

    private bool Fail(Value failure)
    {
        Failure ??= failure;
        return false;
    }
}
