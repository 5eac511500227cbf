using OpenWop.Micro.Protocol.Expressions.Syntax;

namespace OpenWop.Micro.Protocol.Expressions.Evaluation;

/// <summary>The operators between two values.</summary>
internal static class Operators
{
    public static Value Apply(Budget budget, ValueReader reader, BinaryNode node, Value left, Value right)
    {
        var position = node.Position;
        switch (node.Operator)
        {
            case BinaryOperator.Equal or BinaryOperator.NotEqual:
                var equality = new Equality(budget, reader, position);
                var equal = equality.AreEqual(left, right);
                return equality.Failure ?? Value.Bool(equal == (node.Operator == BinaryOperator.Equal));
            case BinaryOperator.In:
                return Collections.Contains(budget, reader, left, right, position);
            case BinaryOperator.Less or BinaryOperator.LessOrEqual or BinaryOperator.Greater or BinaryOperator.GreaterOrEqual:
                return Ordering.TryCompare(reader, left, right, position, out var order, out var failure)
                    ? Value.Bool(Holds(node.Operator, order))
                    : failure;
            case BinaryOperator.Add when left.Kind == ValueKind.String && right.Kind == ValueKind.String:
                return Concatenate(reader, left, right, position);
            case BinaryOperator.Add when left.Kind == ValueKind.List && right.Kind == ValueKind.List:
                return !reader.TryItems(left, position, out var head, out failure) ? failure
                    : !reader.TryItems(right, position, out var tail, out failure) ? failure
                    : Value.List([.. head, .. tail]);
            default:
                return Arithmetic.Apply(node.Operator, left, right, position);
        }
    }

    private static bool Holds(BinaryOperator @operator, int order) => @operator switch
    {
        BinaryOperator.Less => order < 0,
        BinaryOperator.LessOrEqual => order <= 0,
        BinaryOperator.Greater => order > 0,
        _ => order >= 0,
    };

    private static Value Concatenate(ValueReader reader, Value left, Value right, int position) =>
        !reader.TryText(left, position, out var head, out var failure) ? failure
        : !reader.TryText(right, position, out var tail, out failure) ? failure
        : Value.Text(head + tail);
}
