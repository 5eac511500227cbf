using System.Collections.Frozen;

namespace OpenWop.Micro.Protocol.Expressions.Syntax;

/// <summary>Words and precedences that parser and printer share.</summary>
internal static class Grammar
{
    public const int ConditionalLevel = 0;
    public const int UnaryLevel = 6;
    public const int MemberLevel = 7;

    public static readonly FrozenSet<string> ReservedWords = FrozenSet.ToFrozenSet(
        [
            "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
            "namespace", "return", "var", "void", "while",
        ],
        StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, BinaryOperator> Operators = new Dictionary<string, BinaryOperator>
    {
        ["||"] = BinaryOperator.Or,
        ["&&"] = BinaryOperator.And,
        ["=="] = BinaryOperator.Equal,
        ["!="] = BinaryOperator.NotEqual,
        ["<"] = BinaryOperator.Less,
        ["<="] = BinaryOperator.LessOrEqual,
        [">"] = BinaryOperator.Greater,
        [">="] = BinaryOperator.GreaterOrEqual,
        ["in"] = BinaryOperator.In,
        ["+"] = BinaryOperator.Add,
        ["-"] = BinaryOperator.Subtract,
        ["*"] = BinaryOperator.Multiply,
        ["/"] = BinaryOperator.Divide,
        ["%"] = BinaryOperator.Remainder,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<BinaryOperator, string> OperatorTexts =
        Operators.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);

    private static readonly FrozenDictionary<string, MacroKind> Macros = new Dictionary<string, MacroKind>
    {
        ["all"] = MacroKind.All,
        ["exists"] = MacroKind.Exists,
        ["exists_one"] = MacroKind.ExistsOne,
        ["filter"] = MacroKind.Filter,
        ["map"] = MacroKind.Map,
        ["sortBy"] = MacroKind.SortBy,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<MacroKind, string> MacroNames = Macros.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);

    /// <summary>How tightly an operator binds, from 1 (loosest) to 5.</summary>
    public static int Level(BinaryOperator @operator) => @operator switch
    {
        BinaryOperator.Or => 1,
        BinaryOperator.And => 2,
        BinaryOperator.Add or BinaryOperator.Subtract => 4,
        BinaryOperator.Multiply or BinaryOperator.Divide or BinaryOperator.Remainder => 5,
        _ => 3,
    };

    public static string Text(BinaryOperator @operator) => OperatorTexts[@operator];

    public static string Text(MacroKind macro) => MacroNames[macro];

    public static bool TryGetOperator(Token token, out BinaryOperator @operator)
    {
        @operator = default;
        return (token.Kind == TokenKind.Symbol || (token.Kind == TokenKind.Identifier && token.Text == "in"))
            && Operators.TryGetValue(token.Text, out @operator);
    }

    public static bool TryGetMacro(string name, out MacroKind macro) => Macros.TryGetValue(name, out macro);
}
