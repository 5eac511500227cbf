using OpenWop.Micro.Protocol.Expressions.Evaluation;

namespace OpenWop.Micro.Protocol.Expressions.Syntax;

/// <summary>
/// Recursive descent with precedence climbing. Names of functions, numbers of arguments and literal patterns are checked
/// here, so that a definition with a misspelled expression is refused before it runs. After the first error every method
/// returns at once with a placeholder.
/// </summary>
internal sealed partial class Parser
{
    /// <summary>Longest path through the tree: chains such as <c>a + b + c</c> or <c>a.b.c</c> nest in the tree without nesting in the text.</summary>
    private const int MaxHeight = 512;

    /// <summary>Compiled patterns are big; nobody needs more of them in one expression.</summary>
    private const int MaxPatterns = 16;

    private static readonly LiteralNode Placeholder = new(0, Value.Null);

    private readonly string text;
    private readonly Lexer lexer;
    private readonly List<string> bound = [];
    private Token token;
    private int nesting;
    private int patterns;

    public Parser(string text)
    {
        this.text = text;
        lexer = new Lexer(text);
    }

    /// <summary>The first thing wrong with the text, or null.</summary>
    public ExpressionError? Error { get; private set; }

    /// <summary>How many variables of macros are alive at the same time at most.</summary>
    public int VariableCount { get; private set; }

    public SyntaxNode? Parse()
    {
        if (text.Length > Expression.MaxLength)
        {
            return Fail(0, $"the expression is longer than {Expression.MaxLength} characters", ExpressionErrorKind.Limit);
        }

        Advance();
        if (token.Kind == TokenKind.End)
        {
            return Fail(0, "the expression is empty");
        }

        var root = ParseExpression();
        return token.Kind == TokenKind.End ? root : FailAtToken("the end is expected");
    }

    private SyntaxNode ParseExpression()
    {
        if (++nesting > Expression.MaxNesting)
        {
            return Fail(token.Position, $"the expression is nested more than {Expression.MaxNesting} levels deep", ExpressionErrorKind.Limit);
        }

        var condition = ParseBinary(1);
        if (token.Is("?"))
        {
            var position = token.Position;
            Advance();
            var then = ParseExpression();
            Expect(":");
            var otherwise = ParseExpression();
            condition = Bounded(new ConditionalNode(position, condition, then, otherwise));
        }

        nesting--;
        return condition;
    }

    /// <summary>Operators of this level or tighter; all are left associative.</summary>
    private SyntaxNode ParseBinary(int level)
    {
        var left = ParseUnary();
        while (Error is null && Grammar.TryGetOperator(token, out var @operator) && Grammar.Level(@operator) >= level)
        {
            var position = token.Position;
            Advance();
            var right = ParseBinary(Grammar.Level(@operator) + 1);
            left = Bounded(new BinaryNode(position, @operator, left, right));
        }

        return left;
    }

    private SyntaxNode ParseUnary()
    {
        if (!token.Is("!") && !token.Is("-"))
        {
            return ParseMember(ParsePrimary(negative: false));
        }

        var (position, @operator) = (token.Position, token.Text);
        Advance();
        if (@operator == "-" && token.Kind is TokenKind.Integer or TokenKind.Double)
        {
            return ParseMember(ParsePrimary(negative: true));
        }

        if (++nesting > Expression.MaxNesting)
        {
            return Fail(position, $"the expression is nested more than {Expression.MaxNesting} levels deep", ExpressionErrorKind.Limit);
        }

        var operand = ParseUnary();
        nesting--;
        return Bounded(new UnaryNode(position, @operator, operand));
    }

    private SyntaxNode ParseMember(SyntaxNode target)
    {
        while (Error is null)
        {
            if (token.Is("."))
            {
                Advance();
                target = ParseSelection(target);
            }
            else if (token.Is("["))
            {
                var position = token.Position;
                Advance();
                var index = ParseExpression();
                Expect("]");
                target = Bounded(new IndexNode(position, target, index));
            }
            else
            {
                return target;
            }
        }

        return Placeholder;
    }

    private SyntaxNode ParseSelection(SyntaxNode target)
    {
        var (position, name) = (token.Position, token.Text);
        if (token.Kind != TokenKind.Identifier)
        {
            return FailAtToken("a member name is expected after '.' (write [\"…\"] for any other name)");
        }

        Advance();
        if (!token.Is("("))
        {
            return Bounded(new SelectNode(position, target, name));
        }

        Advance();
        return Grammar.TryGetMacro(name, out var macro) ? ParseMacro(position, macro, target) : ParseCall(position, name, target);
    }

    private SyntaxNode ParsePrimary(bool negative)
    {
        var start = token;
        switch (start.Kind)
        {
            case TokenKind.Integer:
                return ParseInteger(negative);
            case TokenKind.Double:
                Advance();
                return new LiteralNode(start.Position, Value.Double(negative ? -start.Number : start.Number));
            case TokenKind.String:
                Advance();
                return new LiteralNode(start.Position, Value.Text(start.Text));
            case TokenKind.Identifier:
                return ParseName();
            case TokenKind.Symbol when start.Text == "(":
                Advance();
                var inner = ParseExpression();
                Expect(")");
                return inner;
            case TokenKind.Symbol when start.Text == "[":
                Advance();
                return Bounded(new ListNode(start.Position, ParseList("]")));
            case TokenKind.Symbol when start.Text == "{":
                Advance();
                return ParseMap(start.Position);
            default:
                return FailAtToken("a value is expected");
        }
    }

    private LiteralNode ParseInteger(bool negative)
    {
        var (position, magnitude) = (token.Position, token.Magnitude);
        if (magnitude > (negative ? 1UL << 63 : long.MaxValue))
        {
            return Fail(position, "the integer is outside the 64-bit range");
        }

        Advance();
        return new LiteralNode(position, Value.Int(negative ? unchecked(-(long)magnitude) : (long)magnitude));
    }

    private SyntaxNode Bounded(SyntaxNode node) =>
        node.Height > MaxHeight ? Fail(node.Position, $"more than {MaxHeight} operations depend on one another", ExpressionErrorKind.Limit) : node;

    private void Expect(string symbol)
    {
        if (token.Is(symbol))
        {
            Advance();
        }
        else
        {
            FailAtToken($"'{symbol}' is expected");
        }
    }

    private void Advance()
    {
        token = lexer.Next();
        if (token.Kind == TokenKind.Invalid)
        {
            Fail(token.Position, token.Text);
        }
    }

    private LiteralNode FailAtToken(string expectation)
    {
        var found = token.Kind switch
        {
            TokenKind.End => "the end",
            TokenKind.Integer or TokenKind.Double => "a number",
            TokenKind.String => "a string",
            _ => $"'{token.Text}'",
        };
        return Fail(token.Position, $"{expectation}, not {found}");
    }

    private LiteralNode Fail(int position, string message, ExpressionErrorKind kind = ExpressionErrorKind.Syntax)
    {
        Error ??= new ExpressionError(kind, position, message);

        // Nothing follows, so every loop of the parser ends.
        token = new Token(TokenKind.End, text.Length, "");
        return Placeholder;
    }
}
