using OpenWop.Micro.Protocol.Expressions.Syntax;

namespace OpenWop.Micro.Protocol.Expressions.Evaluation;

/// <summary>
/// Integers are 64-bit and exact: they stay integers, and overflow is an error. As soon as one operand is a double, both are;
/// a result that is not finite is an error, because JSON cannot say it.
/// </summary>
internal static class Arithmetic
{
    public static Value Negate(Value operand, int position) => operand.Kind switch
    {
        ValueKind.Int when operand.AsInt == long.MinValue => Overflow(position),
        ValueKind.Int => Value.Int(-operand.AsInt),
        ValueKind.Double when operand.IsHugeInteger => Huge(position),
        ValueKind.Double => Value.Double(-operand.AsDouble),
        _ => Value.Error(ExpressionErrorKind.Type, position, $"'-' needs a number, not {operand.Described}"),
    };

    public static Value Apply(BinaryOperator @operator, Value left, Value right, int position)
    {
        if (!left.IsNumber || !right.IsNumber)
        {
            var hint = @operator == BinaryOperator.Add && (left.Kind == ValueKind.String || right.Kind == ValueKind.String) ? "; convert with string(…)" : "";
            return Value.Error(
                ExpressionErrorKind.Type,
                position,
                $"'{Grammar.Text(@operator)}' does not go between {left.TypeName} and {right.TypeName}{hint}");
        }

        return left.Kind == ValueKind.Int && right.Kind == ValueKind.Int
            ? OfIntegers(@operator, left.AsInt, right.AsInt, position)
            : left.IsHugeInteger || right.IsHugeInteger ? Huge(position)
            : OfDoubles(@operator, left.AsDouble, right.AsDouble, position);
    }

    /// <summary>A double, or the error that it is not finite.</summary>
    public static Value Finite(double value, int position) => double.IsFinite(value)
        ? Value.Double(value)
        : Value.Error(ExpressionErrorKind.Value, position, "the number is too large");

    public static Value Overflow(int position) =>
        Value.Error(ExpressionErrorKind.Value, position, "the integer is outside the 64-bit range");

    private static Value Huge(int position) => Overflow(position);

    private static Value OfIntegers(BinaryOperator @operator, long left, long right, int position)
    {
        if (@operator is BinaryOperator.Divide or BinaryOperator.Remainder && right == 0)
        {
            return DivisionByZero(position);
        }

        // Wider than any result, so that an overflow is seen afterwards.
        Int128 result = @operator switch
        {
            BinaryOperator.Add => (Int128)left + right,
            BinaryOperator.Subtract => (Int128)left - right,
            BinaryOperator.Multiply => (Int128)left * right,
            BinaryOperator.Divide => (Int128)left / right,
            _ => (Int128)left % right,
        };
        return result >= long.MinValue && result <= long.MaxValue ? Value.Int((long)result) : Overflow(position);
    }

    private static Value OfDoubles(BinaryOperator @operator, double left, double right, int position) => @operator switch
    {
        BinaryOperator.Add => Finite(left + right, position),
        BinaryOperator.Subtract => Finite(left - right, position),
        BinaryOperator.Multiply => Finite(left * right, position),
        BinaryOperator.Divide or BinaryOperator.Remainder when right == 0 => DivisionByZero(position),
        BinaryOperator.Divide => Finite(left / right, position),
        _ => Finite(left % right, position),
    };

    private static Value DivisionByZero(int position) => Value.Error(ExpressionErrorKind.Value, position, "division by zero");
}
