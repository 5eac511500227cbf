namespace OpenWop.Micro.Protocol.Expressions.Syntax;

internal enum TokenKind
{
    End,
    Identifier,
    Integer,
    Double,
    String,
    Symbol,

    /// <summary>Not a token; <see cref="Token.Text"/> says why.</summary>
    Invalid,
}

/// <summary>A piece of an expression's text.</summary>
/// <param name="Text">Identifier, symbol, decoded string, or the reason when invalid.</param>
/// <param name="Magnitude">Of an integer: the value without sign, so that the smallest int64 can be written.</param>
/// <param name="Number">Of a double.</param>
internal readonly record struct Token(TokenKind Kind, int Position, string Text, ulong Magnitude = 0, double Number = 0)
{
    public bool Is(string symbol) => Kind == TokenKind.Symbol && Text == symbol;
}
