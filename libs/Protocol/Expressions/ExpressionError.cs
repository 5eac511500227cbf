namespace OpenWop.Micro.Protocol.Expressions;

/// <summary>What kind of thing is wrong.</summary>
public enum ExpressionErrorKind
{
    /// <summary>The text is not an expression.</summary>
    Syntax,

    /// <summary>An operation does not apply to values of these types.</summary>
    Type,

    /// <summary>A name, member or index that does not exist.</summary>
    Missing,

    /// <summary>A number, date or text outside what an operation can give, such as an overflow or a division by zero.</summary>
    Value,

    /// <summary>A limit on steps, size, depth or time was reached.</summary>
    Limit,
}

/// <summary>Why an expression has no value. Messages name types and members, never the data.</summary>
/// <param name="Kind">What kind of thing is wrong.</param>
/// <param name="Position">Where: offset in characters from the start of the text, counted from 0.</param>
/// <param name="Message">One sentence without a full stop.</param>
public sealed record ExpressionError(ExpressionErrorKind Kind, int Position, string Message)
{
    /// <summary>Message and position in one line.</summary>
    public override string ToString() => $"{Message} (at position {Position})";
}
