using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using OpenWop.Micro.Protocol.Expressions.Evaluation;
using OpenWop.Micro.Protocol.Expressions.Functions;

namespace OpenWop.Micro.Protocol.Expressions.Syntax;

/// <summary>What names mean: literals, scope, bound variables, functions and macros; and the lists that follow them.</summary>
internal sealed partial class Parser
{
    private SyntaxNode ParseName()
    {
        var (position, name) = (token.Position, token.Text);
        if (Grammar.ReservedWords.Contains(name))
        {
            return Fail(position, $"'{name}' is a reserved word");
        }

        Advance();
        switch (name)
        {
            case "true":
                return new LiteralNode(position, Value.True);
            case "false":
                return new LiteralNode(position, Value.False);
            case "null":
                return new LiteralNode(position, Value.Null);
        }

        if (token.Is("("))
        {
            Advance();
            return name == "has" ? ParseHas(position) : ParseCall(position, name, receiver: null);
        }

        var slot = bound.LastIndexOf(name);
        return slot < 0 ? new NameNode(position, name) : new VariableNode(position, name, slot);
    }

    private SyntaxNode ParseHas(int position)
    {
        var path = ParseExpression();
        Expect(")");
        return path is SelectNode or IndexNode
            ? Bounded(new HasNode(position, path))
            : Fail(position, "has(…) needs a member, such as has(inputs.name)");
    }

    private SyntaxNode ParseCall(int position, string name, SyntaxNode? receiver)
    {
        if (FunctionTable.Find(name) is not { } function)
        {
            return Fail(position, receiver is null && Grammar.TryGetMacro(name, out _)
                ? $"'{name}' is called on a list, such as items.{name}(item, …)"
                : $"there is no function '{name}'");
        }

        var arguments = ParseList(")");
        if (receiver is not null)
        {
            arguments = arguments.Insert(0, receiver);
        }

        if (arguments.Length < function.MinArguments || arguments.Length > function.MaxArguments)
        {
            return Fail(position, $"{function.Usage} does not take {arguments.Length} argument{(arguments.Length == 1 ? "" : "s")}");
        }

        var call = new CallNode(position, function, receiver is not null, arguments);
        return TryCompilePattern(call, out var compiled) ? Bounded(compiled) : Placeholder;
    }

    private bool TryCompilePattern(CallNode call, [NotNullWhen(true)] out CallNode? compiled)
    {
        compiled = call;
        if (call.Function.Name != Patterns.FunctionName || call.Arguments[1] is not LiteralNode { Value.Kind: ValueKind.String } literal || Error is not null)
        {
            return true;
        }

        Regex? regex = null;
        if (++patterns > MaxPatterns)
        {
            Fail(literal.Position, $"there are more than {MaxPatterns} patterns", ExpressionErrorKind.Limit);
        }
        else if (!Patterns.TryCompile(literal.Value.LiteralText, out regex, out var reason))
        {
            Fail(literal.Position, reason);
        }

        compiled = call with { Pattern = regex };
        return Error is null;
    }

    private SyntaxNode ParseMacro(int position, MacroKind kind, SyntaxNode range)
    {
        var variable = token;
        if (variable.Kind != TokenKind.Identifier || Grammar.ReservedWords.Contains(variable.Text) || variable.Text is "true" or "false" or "null")
        {
            return FailAtToken($"a name for the item is expected first in '{Grammar.Text(kind)}'");
        }

        Advance();
        Expect(",");
        var slot = bound.Count;
        bound.Add(variable.Text);
        VariableCount = Math.Max(VariableCount, bound.Count);
        var body = ParseExpression();
        SyntaxNode? filter = null;
        if (kind == MacroKind.Map && token.Is(","))
        {
            Advance();
            filter = body;
            body = ParseExpression();
        }

        bound.RemoveAt(slot);
        Expect(")");
        return Bounded(new MacroNode(position, kind, range, variable.Text, slot, filter, body));
    }

    private ImmutableArray<SyntaxNode> ParseList(string close)
    {
        var items = ImmutableArray.CreateBuilder<SyntaxNode>();
        while (Error is null && !token.Is(close))
        {
            items.Add(ParseExpression());
            if (!token.Is(","))
            {
                break;
            }

            // A comma before the bracket is allowed in lists, not in calls.
            Advance();
            if (close == ")" && token.Is(close))
            {
                FailAtToken("an argument is expected");
            }
        }

        Expect(close);
        return items.DrainToImmutable();
    }

    private SyntaxNode ParseMap(int position)
    {
        var entries = ImmutableArray.CreateBuilder<SyntaxNode>();
        while (Error is null && !token.Is("}"))
        {
            var key = ParseExpression();
            if (key is NameNode name && token.Is(":"))
            {
                return Fail(key.Position, $"a key is an expression: write \"{name.Name}\" in quotes");
            }

            Expect(":");
            entries.Add(key);
            entries.Add(ParseExpression());
            if (!token.Is(","))
            {
                break;
            }

            Advance();
        }

        Expect("}");
        return Bounded(new MapNode(position, entries.DrainToImmutable()));
    }
}
