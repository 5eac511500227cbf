namespace OpenWop.Micro.Protocol.Expressions.Evaluation;

/// <summary>The order of numbers (by value, exact between int and double), of strings (by code points) and of bools.</summary>
internal static class Ordering
{
    public static bool TryCompare(ValueReader reader, Value left, Value right, int position, out int order, out Value failure)
    {
        order = 0;
        failure = default;
        if (left.IsNumber && right.IsNumber)
        {
            order = CompareNumbers(left, right);
            return true;
        }

        if (left.Kind == ValueKind.String && right.Kind == ValueKind.String)
        {
            if (!reader.TryText(left, position, out var first, out failure) || !reader.TryText(right, position, out var second, out failure))
            {
                return false;
            }

            order = CodePoints.Compare(first, second);
            return true;
        }

        if (left.Kind == ValueKind.Bool && right.Kind == ValueKind.Bool)
        {
            order = left.AsBool.CompareTo(right.AsBool);
            return true;
        }

        failure = Value.Error(ExpressionErrorKind.Type, position, $"{left.Described} and {right.Described} have no order");
        return false;
    }

    public static int CompareNumbers(Value left, Value right) => (left.Kind, right.Kind) switch
    {
        (ValueKind.Int, ValueKind.Int) => left.AsInt.CompareTo(right.AsInt),
        (ValueKind.Int, _) => Compare(left.AsInt, right.AsDouble),
        (_, ValueKind.Int) => -Compare(right.AsInt, left.AsDouble),
        _ => left.AsDouble.CompareTo(right.AsDouble),
    };

    /// <summary>Without turning the integer into a double, which would round it beyond 2^53.</summary>
    private static int Compare(long left, double right)
    {
        const double TwoTo63 = 9_223_372_036_854_775_808;
        if (right >= TwoTo63)
        {
            return -1;
        }

        if (right < -TwoTo63)
        {
            return 1;
        }

        var whole = (long)right;
        return left != whole ? left.CompareTo(whole) : 0d.CompareTo(right - whole);
    }
}
