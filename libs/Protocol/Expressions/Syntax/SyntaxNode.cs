using System.Collections.Immutable;
using System.Text.RegularExpressions;
using OpenWop.Micro.Protocol.Expressions.Evaluation;
using OpenWop.Micro.Protocol.Expressions.Functions;

namespace OpenWop.Micro.Protocol.Expressions.Syntax;

/// <summary>A node of the immutable tree that a text is parsed to.</summary>
/// <param name="Position">Where errors of this node point to.</param>
/// <param name="Height">Nodes on the longest path down, this one included: bounds the recursion of everything that walks the tree.</param>
internal abstract record SyntaxNode(int Position, int Height)
{
    protected static int Above(params ReadOnlySpan<SyntaxNode> children)
    {
        var height = 0;
        foreach (var child in children)
        {
            height = Math.Max(height, child.Height);
        }

        return height + 1;
    }
}

/// <summary>A number, string, bool or null.</summary>
internal sealed record LiteralNode(int Position, Value Value) : SyntaxNode(Position, 1);

/// <summary>A name of the scope.</summary>
internal sealed record NameNode(int Position, string Name) : SyntaxNode(Position, 1);

/// <summary>A name bound by an enclosing macro.</summary>
/// <param name="Slot">Its place among the variables of the evaluation.</param>
internal sealed record VariableNode(int Position, string Name, int Slot) : SyntaxNode(Position, 1);

/// <summary><c>target.member</c>.</summary>
internal sealed record SelectNode(int Position, SyntaxNode Target, string Member) : SyntaxNode(Position, Above(Target));

/// <summary><c>target[index]</c>.</summary>
internal sealed record IndexNode(int Position, SyntaxNode Target, SyntaxNode Index) : SyntaxNode(Position, Above(Target, Index));

/// <summary><c>has(path)</c>; the path is a <see cref="SelectNode"/> or an <see cref="IndexNode"/>.</summary>
internal sealed record HasNode(int Position, SyntaxNode Path) : SyntaxNode(Position, Above(Path));

/// <summary><c>[a, b]</c>.</summary>
internal sealed record ListNode(int Position, ImmutableArray<SyntaxNode> Items) : SyntaxNode(Position, Above(Items.AsSpan()));

/// <summary><c>{key: value}</c>; keys and values alternate.</summary>
internal sealed record MapNode(int Position, ImmutableArray<SyntaxNode> KeysAndValues) : SyntaxNode(Position, Above(KeysAndValues.AsSpan()));

/// <summary><c>!x</c> or <c>-x</c>.</summary>
internal sealed record UnaryNode(int Position, string Operator, SyntaxNode Operand) : SyntaxNode(Position, Above(Operand));

/// <summary>An operator between two operands.</summary>
internal sealed record BinaryNode(int Position, BinaryOperator Operator, SyntaxNode Left, SyntaxNode Right) : SyntaxNode(Position, Above(Left, Right));

/// <summary><c>condition ? then : otherwise</c>.</summary>
internal sealed record ConditionalNode(int Position, SyntaxNode Condition, SyntaxNode Then, SyntaxNode Otherwise)
    : SyntaxNode(Position, Above(Condition, Then, Otherwise));

/// <summary>A call: <c>function(a, b)</c>, or <c>a.function(b)</c> when <paramref name="IsMember"/>; both mean the same.</summary>
internal sealed record CallNode(int Position, Function Function, bool IsMember, ImmutableArray<SyntaxNode> Arguments)
    : SyntaxNode(Position, Above(Arguments.AsSpan()))
{
    /// <summary>The compiled pattern when the function is <c>matches</c> and the pattern is a literal.</summary>
    public Regex? Pattern { get; init; }
}

/// <summary>A macro over the items of a list or the keys of a map: <c>range.macro(variable, body)</c>.</summary>
/// <param name="Slot">Where the item is put for the body.</param>
/// <param name="Filter">Of a <c>map</c> with three arguments: which items to map.</param>
internal sealed record MacroNode(int Position, MacroKind Kind, SyntaxNode Range, string Variable, int Slot, SyntaxNode? Filter, SyntaxNode Body)
    : SyntaxNode(Position, Filter is null ? Above(Range, Body) : Above(Range, Filter, Body));

internal enum MacroKind
{
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
    SortBy,
}

internal enum BinaryOperator
{
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}
