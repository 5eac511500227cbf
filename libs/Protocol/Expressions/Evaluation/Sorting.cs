using System.Numerics;

namespace OpenWop.Micro.Protocol.Expressions.Evaluation;

/// <summary>Stable sorting by keys that are all numbers or all strings.</summary>
internal static class Sorting
{
    public static Value Sort(Budget budget, ValueReader reader, Value[] items, Value[] keys, int position)
    {
        if (keys.Length == 0)
        {
            return Value.List([]);
        }

        var texts = new string[keys.Length];
        var rounds = BitOperations.Log2((uint)keys.Length) + 1;
        for (var index = 0; index < keys.Length; index++)
        {
            if (keys[index].IsNumber && keys[0].IsNumber)
            {
                texts[index] = "";
            }
            else if (keys[index].Kind != ValueKind.String || keys[0].Kind != ValueKind.String)
            {
                return Value.Error(
                    ExpressionErrorKind.Type,
                    position,
                    $"sorting needs numbers or strings, not {keys[0].TypeName} and {keys[index].TypeName}");
            }
            else if (!reader.TryText(keys[index], position, out texts[index], out var failure))
            {
                return failure;
            }

            // Each key is compared about as often as the number of keys can be halved.
            if (!budget.Spend(rounds) || (texts[index].Length > 0 && !budget.SpendText((long)texts[index].Length * rounds)))
            {
                return budget.Exhausted(position);
            }
        }

        var order = new int[keys.Length];
        for (var index = 0; index < order.Length; index++)
        {
            order[index] = index;
        }

        Array.Sort(order, (left, right) =>
        {
            var compared = keys[left].IsNumber
                ? Ordering.CompareNumbers(keys[left], keys[right])
                : CodePoints.Compare(texts[left], texts[right]);
            return compared != 0 ? compared : left.CompareTo(right);
        });
        return Value.List([.. order.Select(index => items[index])]);
    }
}
