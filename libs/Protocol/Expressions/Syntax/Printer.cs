using System.Globalization;
using System.Text;
using OpenWop.Micro.Protocol.Expressions.Evaluation;

namespace OpenWop.Micro.Protocol.Expressions.Syntax;

/// <summary>Writes a tree as text with as few parentheses as possible, such that parsing the text gives the tree again.</summary>
internal static class Printer
{
    public static string Print(SyntaxNode node)
    {
        var text = new StringBuilder();
        Write(text, node, Grammar.ConditionalLevel);
        return text.ToString();
    }

    /// <summary>Writes a node; in parentheses when it binds more loosely than its place demands.</summary>
    private static void Write(StringBuilder text, SyntaxNode node, int level)
    {
        var parenthesized = Level(node) < level;
        if (parenthesized)
        {
            text.Append('(');
        }

        WriteBare(text, node);
        if (parenthesized)
        {
            text.Append(')');
        }
    }

    private static int Level(SyntaxNode node) => node switch
    {
        ConditionalNode => Grammar.ConditionalLevel,
        BinaryNode binary => Grammar.Level(binary.Operator),
        UnaryNode => Grammar.UnaryLevel,
        // A sign belongs to the literal only where nothing is selected from it.
        LiteralNode { Value.IsNegativeNumber: true } => Grammar.UnaryLevel,
        _ => Grammar.MemberLevel,
    };

    private static void WriteBare(StringBuilder text, SyntaxNode node)
    {
        switch (node)
        {
            case LiteralNode literal:
                WriteLiteral(text, literal.Value);
                break;
            case NameNode name:
                text.Append(name.Name);
                break;
            case VariableNode variable:
                text.Append(variable.Name);
                break;
            case SelectNode select:
                Write(text, select.Target, Grammar.MemberLevel);
                text.Append('.').Append(select.Member);
                break;
            case IndexNode index:
                Write(text, index.Target, Grammar.MemberLevel);
                WriteAll(text.Append('['), [index.Index], ']');
                break;
            case HasNode has:
                WriteAll(text.Append("has("), [has.Path], ')');
                break;
            case ListNode list:
                WriteAll(text.Append('['), list.Items.AsSpan(), ']');
                break;
            case MapNode map:
                WriteMap(text, map);
                break;
            case UnaryNode unary:
                WriteUnary(text, unary);
                break;
            case BinaryNode binary:
                Write(text, binary.Left, Grammar.Level(binary.Operator));
                text.Append(' ').Append(Grammar.Text(binary.Operator)).Append(' ');
                Write(text, binary.Right, Grammar.Level(binary.Operator) + 1);
                break;
            case ConditionalNode conditional:
                Write(text, conditional.Condition, Grammar.ConditionalLevel + 1);
                text.Append(" ? ");
                Write(text, conditional.Then, Grammar.ConditionalLevel);
                text.Append(" : ");
                Write(text, conditional.Otherwise, Grammar.ConditionalLevel);
                break;
            case CallNode call:
                WriteCall(text, call);
                break;
            case MacroNode macro:
                Write(text, macro.Range, Grammar.MemberLevel);
                text.Append('.').Append(Grammar.Text(macro.Kind)).Append('(').Append(macro.Variable).Append(", ");
                WriteAll(text, macro.Filter is null ? [macro.Body] : [macro.Filter, macro.Body], ')');
                break;
            default:
                throw new InvalidOperationException($"No text for {node.GetType().Name}.");
        }
    }

    private static void WriteUnary(StringBuilder text, UnaryNode unary)
    {
        text.Append(unary.Operator);
        var start = text.Length;
        Write(text, unary.Operand, Grammar.UnaryLevel);

        // A sign right before digits would belong to the number.
        if (unary.Operator == "-" && (char.IsAsciiDigit(text[start]) || text[start] == '.'))
        {
            text.Insert(start, '(').Append(')');
        }
    }

    private static void WriteCall(StringBuilder text, CallNode call)
    {
        var arguments = call.Arguments.AsSpan();
        if (call.IsMember)
        {
            Write(text, arguments[0], Grammar.MemberLevel);
            text.Append('.');
            arguments = arguments[1..];
        }

        WriteAll(text.Append(call.Function.Name).Append('('), arguments, ')');
    }

    private static void WriteMap(StringBuilder text, MapNode map)
    {
        text.Append('{');
        for (var index = 0; index < map.KeysAndValues.Length; index += 2)
        {
            text.Append(index == 0 ? "" : ", ");
            Write(text, map.KeysAndValues[index], Grammar.ConditionalLevel);
            text.Append(": ");
            Write(text, map.KeysAndValues[index + 1], Grammar.ConditionalLevel);
        }

        text.Append('}');
    }

    private static void WriteAll(StringBuilder text, ReadOnlySpan<SyntaxNode> nodes, char close)
    {
        for (var index = 0; index < nodes.Length; index++)
        {
            text.Append(index == 0 ? "" : ", ");
            Write(text, nodes[index], Grammar.ConditionalLevel);
        }

        text.Append(close);
    }

    private static void WriteLiteral(StringBuilder text, Value value)
    {
        switch (value.Kind)
        {
            case ValueKind.Null:
                text.Append("null");
                break;
            case ValueKind.Bool:
                text.Append(value.AsBool ? "true" : "false");
                break;
            case ValueKind.Int:
                text.Append(CultureInfo.InvariantCulture, $"{value.AsInt}");
                break;
            case ValueKind.Double:
                text.Append(NumberText.OfDouble(value.AsDouble));
                break;
            default:
                WriteString(text, value.LiteralText);
                break;
        }
    }

    private static void WriteString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var character in value)
        {
            _ = character switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' or '\u007f' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
                _ => text.Append(character),
            };
        }

        text.Append('"');
    }
}
