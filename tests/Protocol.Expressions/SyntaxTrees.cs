using System.Collections.Immutable;
using CsCheck;
using OpenWop.Micro.Protocol.Expressions.Evaluation;
using OpenWop.Micro.Protocol.Expressions.Functions;
using OpenWop.Micro.Protocol.Expressions.Syntax;

namespace OpenWop.Micro.Protocol.Expressions.Tests;

/// <summary>Random trees, and their structure as text for comparison.</summary>
internal static class SyntaxTrees
{
    private static readonly string[] VariableNames = ["x", "y", "z"];
    private static readonly string[] ScopeNames = ["inputs", "variables", "nodes", "run", "unknown"];
    private static readonly string[] MemberNames = ["name", "age", "list", "orders", "user", "in", "size", "true"];

    private static readonly Gen<Value> Literal = Gen.OneOf(
        Gen.Const(Value.Null),
        Gen.Bool.Select(Value.Bool),
        Gen.Long.Select(Value.Int),
        Gen.Long[-3, 3].Select(Value.Int),
        Gen.Double.Where(double.IsFinite).Select(Value.Double),
        Gen.Double[-2, 2].Select(Value.Double),
        Gen.Char.Where(character => !char.IsSurrogate(character)).Array[0, 6].Select(characters => Value.Text(new string(characters))),
        Gen.OneOf("name", "orders", "a", "").Select(Value.Text));

    /// <summary>Trees of limited height with macros that bind up to three variables.</summary>
    public static Gen<SyntaxNode> Any(int height = 5, int bound = 0)
    {
        var leaf = Gen.OneOf(
            Literal.Select(SyntaxNode (value) => new LiteralNode(0, value)),
            Gen.OneOf(ScopeNames).Select(SyntaxNode (name) => new NameNode(0, name)),
            bound == 0
                ? Gen.Const<SyntaxNode>(new NameNode(0, "inputs"))
                : Gen.Int[0, bound - 1].Select(SyntaxNode (slot) => new VariableNode(0, VariableNames[slot], slot)));
        if (height == 0)
        {
            return leaf;
        }

        var child = Any(height - 1, bound);
        var generators = new List<Gen<SyntaxNode>>
        {
            leaf,
            Gen.Select(child, Gen.OneOf(MemberNames)).Select(SyntaxNode (parts) => new SelectNode(0, parts.Item1, parts.Item2)),
            Gen.Select(child, child).Select(SyntaxNode (parts) => new IndexNode(0, parts.Item1, parts.Item2)),
            Gen.Select(child, Gen.OneOf(MemberNames)).Select(SyntaxNode (parts) => new HasNode(0, new SelectNode(0, parts.Item1, parts.Item2))),
            child.Array[0, 3].Select(SyntaxNode (items) => new ListNode(0, [.. items])),
            child.Array[0, 2].Select(SyntaxNode (values) => new MapNode(0, [.. values.SelectMany((value, index) => new[] { Key(index), value })])),
            Gen.Select(Gen.OneOf("!", "-"), child).Select(SyntaxNode (parts) => new UnaryNode(0, parts.Item1, parts.Item2)),
            Gen.Select(Gen.Enum<BinaryOperator>(), child, child).Select(SyntaxNode (parts) => new BinaryNode(0, parts.Item1, parts.Item2, parts.Item3)),
            Gen.Select(child, child, child).Select(SyntaxNode (parts) => new ConditionalNode(0, parts.Item1, parts.Item2, parts.Item3)),
            Gen.Select(Gen.OneOf(FunctionTable.All.ToArray()), Gen.Bool, child.Array[3]).Select(NewCall),
        };
        if (bound < VariableNames.Length)
        {
            var body = Any(height - 1, bound + 1);
            generators.Add(Gen.Select(Gen.Enum<MacroKind>(), child, body, body, Gen.Bool).Select(SyntaxNode (parts) => new MacroNode(
                0,
                parts.Item1,
                parts.Item2,
                VariableNames[bound],
                bound,
                parts.Item1 == MacroKind.Map && parts.Item5 ? parts.Item4 : null,
                parts.Item3)));
        }

        return Gen.OneOf([.. generators]);
    }

    /// <summary>The structure of a tree, without positions, every node in parentheses.</summary>
    public static string Structure(SyntaxNode node) => node switch
    {
        LiteralNode { Value.Kind: ValueKind.Double } literal => $"double:{BitConverter.DoubleToInt64Bits(literal.Value.AsDouble):x}",
        LiteralNode { Value.Kind: ValueKind.String } literal => $"string:{Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(literal.Value.LiteralText))}",
        LiteralNode literal => $"{literal.Value.TypeName}:{literal.Value.AsInt}",
        NameNode name => name.Name,
        VariableNode variable => $"${variable.Slot}",
        SelectNode select => $"(select {Structure(select.Target)} {select.Member})",
        IndexNode index => $"(index {Structure(index.Target)} {Structure(index.Index)})",
        HasNode has => $"(has {Structure(has.Path)})",
        ListNode list => $"(list {All(list.Items)})",
        MapNode map => $"(map {All(map.KeysAndValues)})",
        UnaryNode unary => $"({unary.Operator} {Structure(unary.Operand)})",
        BinaryNode binary => $"({binary.Operator} {Structure(binary.Left)} {Structure(binary.Right)})",
        ConditionalNode conditional => $"(if {Structure(conditional.Condition)} {Structure(conditional.Then)} {Structure(conditional.Otherwise)})",
        CallNode call => $"(call {call.Function.Name} {call.IsMember} {All(call.Arguments)})",
        MacroNode macro => $"({macro.Kind} {Structure(macro.Range)} {macro.Slot} {(macro.Filter is null ? "" : Structure(macro.Filter))} {Structure(macro.Body)})",
        _ => throw new ArgumentOutOfRangeException(nameof(node)),
    };

    private static string All(ImmutableArray<SyntaxNode> nodes) => string.Join(' ', nodes.Select(Structure));

    private static LiteralNode Key(int index) => new(0, Value.Text($"k{index}"));

    private static SyntaxNode NewCall((Function Function, bool IsMember, SyntaxNode[] Children) parts)
    {
        var count = Math.Clamp(parts.Children.Length, parts.Function.MinArguments, Math.Min(3, parts.Function.MaxArguments));
        var arguments = parts.Children.Take(count).ToImmutableArray();

        // A literal pattern is compiled by the parser and may be refused there.
        return parts.Function.Name == Patterns.FunctionName && arguments[1] is LiteralNode
            ? arguments[0]
            : new CallNode(0, parts.Function, parts.IsMember, arguments);
    }
}
