using System.Globalization;
using System.Text;

namespace OpenWop.Micro.Protocol.Expressions.Syntax;

/// <summary>Cuts the text of an expression into tokens. Blanks and <c>// comments</c> separate them.</summary>
internal sealed class Lexer(string text)
{
    private static readonly string[] Symbols =
        ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}"];

    private int position;

    public Token Next()
    {
        SkipBlanksAndComments();
        if (position >= text.Length)
        {
            return new Token(TokenKind.End, text.Length, "");
        }

        var start = position;
        var first = text[position];
        if (IsRawPrefix())
        {
            position++;
            return ReadString(start, raw: true);
        }

        if (first is '"' or '\'')
        {
            return ReadString(start, raw: false);
        }

        if (IsIdentifierStart(first))
        {
            return ReadIdentifier();
        }

        if (char.IsAsciiDigit(first) || (first == '.' && char.IsAsciiDigit(Peek(1))))
        {
            return ReadNumber();
        }

        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(text, position, symbol, 0, symbol.Length) == 0)
            {
                position += symbol.Length;
                return new Token(TokenKind.Symbol, start, symbol);
            }
        }

        return Invalid(start, first switch
        {
            '=' => "unexpected '='; equality is '=='",
            '&' => "unexpected '&'; the logical and is '&&'",
            '|' => "unexpected '|'; the logical or is '||'",
            '`' or '$' => $"unexpected '{first}'",
            _ => "unexpected character",
        });
    }

    private char Peek(int offset) => position + offset < text.Length ? text[position + offset] : '\0';

    private bool IsRawPrefix() => text[position] is 'r' or 'R' && Peek(1) is '"' or '\'';

    private static bool IsIdentifierStart(char character) => char.IsAsciiLetter(character) || character == '_';

    private Token Invalid(int start, string reason)
    {
        position = text.Length;
        return new Token(TokenKind.Invalid, start, reason);
    }

    private void SkipBlanksAndComments()
    {
        while (position < text.Length)
        {
            if (text[position] is ' ' or '\t' or '\r' or '\n' or '\f')
            {
                position++;
            }
            else if (text[position] == '/' && Peek(1) == '/')
            {
                var end = text.IndexOf('\n', position);
                position = end < 0 ? text.Length : end;
            }
            else
            {
                return;
            }
        }
    }

    private Token ReadIdentifier()
    {
        var start = position;
        while (IsIdentifierStart(Peek(0)) || char.IsAsciiDigit(Peek(0)))
        {
            position++;
        }

        return Peek(0) is '"' or '\''
            ? Invalid(start, "unknown string prefix; only r\"…\" is known")
            : new Token(TokenKind.Identifier, start, text[start..position]);
    }

    private Token ReadNumber()
    {
        var start = position;
        if (text[position] == '0' && Peek(1) is 'x' or 'X')
        {
            position += 2;
            return ReadHexadecimal(start);
        }

        SkipDigits();
        var isDouble = false;
        if (Peek(0) == '.' && char.IsAsciiDigit(Peek(1)))
        {
            isDouble = true;
            position++;
            SkipDigits();
        }

        if (Peek(0) is 'e' or 'E' && (char.IsAsciiDigit(Peek(1)) || (Peek(1) is '+' or '-' && char.IsAsciiDigit(Peek(2)))))
        {
            isDouble = true;
            position += 2;
            SkipDigits();
        }

        if (IsIdentifierStart(Peek(0)))
        {
            return Invalid(start, "a number must not be followed by a letter");
        }

        var digits = text.AsSpan(start, position - start);
        if (!isDouble)
        {
            return ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var magnitude)
                ? new Token(TokenKind.Integer, start, "", magnitude)
                : Invalid(start, "the integer is outside the 64-bit range");
        }

        var number = double.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture);
        return double.IsFinite(number) ? new Token(TokenKind.Double, start, "", Number: number) : Invalid(start, "the number is too large");
    }

    private Token ReadHexadecimal(int start)
    {
        var digits = position;
        while (char.IsAsciiHexDigit(Peek(0)))
        {
            position++;
        }

        return !IsIdentifierStart(Peek(0))
            && ulong.TryParse(text.AsSpan(digits, position - digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var magnitude)
            ? new Token(TokenKind.Integer, start, "", magnitude)
            : Invalid(start, "not a 64-bit hexadecimal number");
    }

    private static int HexDigit(char digit) => char.IsAsciiDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private void SkipDigits()
    {
        while (char.IsAsciiDigit(Peek(0)))
        {
            position++;
        }
    }

    private Token ReadString(int start, bool raw)
    {
        var quote = text[position++];
        var decoded = new StringBuilder();
        while (position < text.Length && text[position] != quote)
        {
            var character = text[position];
            if (character is '\n' or '\r')
            {
                return Invalid(start, "the string is not closed before the end of the line");
            }

            if (character == '\\' && !raw)
            {
                if (!TryReadEscape(decoded))
                {
                    return Invalid(position, "unknown escape sequence");
                }
            }
            else if (char.IsSurrogate(character) && !TryReadSurrogatePair(decoded))
            {
                return Invalid(position, "half a surrogate pair");
            }
            else if (!char.IsSurrogate(character))
            {
                decoded.Append(character);
                position++;
            }
        }

        if (position >= text.Length)
        {
            return Invalid(start, "the string is not closed");
        }

        position++;
        return new Token(TokenKind.String, start, decoded.ToString());
    }

    private bool TryReadSurrogatePair(StringBuilder decoded)
    {
        if (!char.IsSurrogatePair(text[position], Peek(1)))
        {
            return false;
        }

        decoded.Append(text, position, 2);
        position += 2;
        return true;
    }

    /// <summary>Reads one escape sequence at the backslash; false leaves the position at it.</summary>
    private bool TryReadEscape(StringBuilder decoded)
    {
        var (digits, radix) = Peek(1) switch
        {
            'x' or 'X' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            >= '0' and <= '3' => (3, 8),
            _ => (0, 0),
        };
        if (digits == 0)
        {
            char? single = Peek(1) switch
            {
                '\\' or '"' or '\'' or '`' or '?' => Peek(1),
                'a' => '\a',
                'b' => '\b',
                'f' => '\f',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\v',
                _ => null,
            };
            if (single is null)
            {
                return false;
            }

            decoded.Append(single.Value);
            position += 2;
            return true;
        }

        var first = position + (radix == 8 ? 1 : 2);
        var code = 0u;
        for (var index = first; index < first + digits; index++)
        {
            var digit = index < text.Length && char.IsAsciiHexDigit(text[index]) ? HexDigit(text[index]) : int.MaxValue;
            if (digit >= radix || code > 0x0FFF_FFFF)
            {
                return false;
            }

            code = (code * (uint)radix) + (uint)digit;
        }

        if (!Rune.IsValid(code))
        {
            return false;
        }

        decoded.Append(new Rune(code).ToString());
        position = first + digits;
        return true;
    }
}
