using OpenWop.Micro.Protocol.Expressions.Evaluation;
using OpenWop.Micro.Protocol.Expressions.Syntax;

namespace OpenWop.Micro.Protocol.Expressions.Functions;

/// <summary>Functions for numbers.</summary>
internal static class NumberFunctions
{
    /// <summary>Most digits after the point that <c>round</c> knows.</summary>
    private const int MaxDigits = 15;

    /// <summary>0 for an empty list.</summary>
    public static Value Sum(Call call)
    {
        if (!call.TryItems(0, out var items, out var failure))
        {
            return failure;
        }

        var sum = Value.Int(0);
        foreach (var item in items)
        {
            sum = Arithmetic.Apply(BinaryOperator.Add, sum, item, call.Position);
            if (sum.IsError)
            {
                return sum;
            }
        }

        return sum;
    }

    public static Value Min(Call call) => Extreme(call, sign: -1);

    public static Value Max(Call call) => Extreme(call, sign: 1);

    public static Value Abs(Call call) =>
        !call[0].IsNumber ? call.WrongType(0, "a number")
        : call[0].IsNegativeNumber ? Arithmetic.Negate(call[0], call.Position)
        : call[0];

    /// <summary>Halves away from zero. Without digits an integer, with digits a double.</summary>
    public static Value Round(Call call)
    {
        if (call.Count == 1)
        {
            return ToWhole(call, number => Math.Round(number, MidpointRounding.AwayFromZero));
        }

        if (!call[0].IsNumber)
        {
            return call.WrongType(0, "a number");
        }

        return !call.TryInteger(1, out var digits, out var failure) ? failure
            : digits is < 0 or > MaxDigits ? call.Fail(ExpressionErrorKind.Value, $"needs 0 to {MaxDigits} digits")
            : Arithmetic.Finite(Math.Round(call[0].AsDouble, (int)digits, MidpointRounding.AwayFromZero), call.Position);
    }

    public static Value Floor(Call call) => ToWhole(call, Math.Floor);

    public static Value Ceil(Call call) => ToWhole(call, Math.Ceiling);

    private static Value ToWhole(Call call, Func<double, double> round) => call[0].Kind switch
    {
        ValueKind.Int => call[0],
        ValueKind.Double => Conversions.FromDouble(round(call[0].AsDouble), call.Position),
        _ => call.WrongType(0, "a number"),
    };

    /// <summary>Of one list or of several arguments; numbers or strings.</summary>
    private static Value Extreme(Call call, int sign)
    {
        var items = call.Arguments;
        if (call.Count == 1 && !call.TryItems(0, out items, out var failure))
        {
            return failure;
        }

        if (items.Length == 0)
        {
            return call.Fail(ExpressionErrorKind.Missing, "has no item in an empty list");
        }

        var extreme = items[0];
        foreach (var item in items)
        {
            if (!Ordering.TryCompare(call.Reader, item, extreme, call.Position, out var order, out failure))
            {
                return failure;
            }

            extreme = order * sign > 0 ? item : extreme;
        }

        return extreme;
    }
}
