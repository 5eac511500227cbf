using OpenWop.Micro.Protocol.Expressions.Evaluation;

namespace OpenWop.Micro.Protocol.Expressions.Functions;

/// <summary>Functions for lists.</summary>
internal static class ListFunctions
{
    public static Value First(Call call) => At(call, count => 0);

    public static Value Last(Call call) => At(call, count => count - 1);

    /// <summary>From start to before end; bounds beyond the list are those of the list, negative ones count from its end.</summary>
    public static Value Slice(Call call)
    {
        if (!call.TryItems(0, out var items, out var failure) || !call.TryInteger(1, out var start, out failure))
        {
            return failure;
        }

        long end = items.Length;
        if (call.Count == 3 && !call.TryInteger(2, out end, out failure))
        {
            return failure;
        }

        var (from, to) = (Bound(start, items.Length), Bound(end, items.Length));
        return Value.List(from < to ? items[from..to] : []);
    }

    public static Value Reverse(Call call)
    {
        if (!call.TryItems(0, out var items, out var failure))
        {
            return failure;
        }

        var reversed = items.ToArray();
        Array.Reverse(reversed);
        return Value.List(reversed);
    }

    public static Value Sort(Call call) => call.TryItems(0, out var items, out var failure)
        ? Sorting.Sort(call.Budget, call.Reader, items, items, call.Position)
        : failure;

    /// <summary>The first of equal items stays.</summary>
    public static Value Distinct(Call call)
    {
        if (!call.TryItems(0, out var items, out var failure))
        {
            return failure;
        }

        var equality = new Equality(call.Budget, call.Reader, call.Position);
        var seen = new HashSet<Value>(equality);
        var distinct = new List<Value>();
        foreach (var item in items)
        {
            if (seen.Add(item))
            {
                distinct.Add(item);
            }

            if (equality.Failure is { } unequal)
            {
                return unequal;
            }
        }

        return Value.List([.. distinct]);
    }

    /// <summary>One level; items that are no lists stay.</summary>
    public static Value Flatten(Call call)
    {
        if (!call.TryItems(0, out var items, out var failure))
        {
            return failure;
        }

        var flat = new List<Value>();
        foreach (var item in items)
        {
            if (item.Kind != ValueKind.List)
            {
                flat.Add(item);
            }
            else if (call.Reader.TryItems(item, call.Position, out var inner, out failure))
            {
                flat.AddRange(inner);
            }
            else
            {
                return failure;
            }
        }

        return Value.List([.. flat]);
    }

    /// <summary>The integers from 0 to before count.</summary>
    public static Value Range(Call call)
    {
        if (!call.TryInteger(0, out var count, out var failure))
        {
            return failure;
        }

        if (count < 0)
        {
            return call.Fail(ExpressionErrorKind.Value, "needs a count from 0");
        }

        if (!call.Budget.Spend(count))
        {
            return call.Exhausted;
        }

        var items = new Value[count];
        for (var index = 0; index < items.Length; index++)
        {
            items[index] = Value.Int(index);
        }

        return Value.List(items);
    }

    private static Value At(Call call, Func<long, long> index)
    {
        if (call[0].Kind != ValueKind.List)
        {
            return call.WrongType(0, "a list");
        }

        var count = call.Reader.Count(call[0], call.Position, out _);
        return call.Reader.TryItem(call[0], index(count), call.Position, out var item)
            ? item
            : call.Fail(ExpressionErrorKind.Missing, "has no item in an empty list");
    }

    private static int Bound(long bound, int count) => (int)Math.Clamp(bound < 0 ? count + bound : bound, 0, count);
}
