using OpenWop.Micro.Protocol.Expressions.Evaluation;
using OpenWop.Micro.Protocol.Expressions.Syntax;

namespace OpenWop.Micro.Protocol.Expressions.Functions;

/// <summary>One call of a function, with readers for its arguments that check their types and pay for what they read.</summary>
internal readonly record struct Call(CallNode Node, Budget Budget, ValueReader Reader, Value[] Arguments)
{
    public int Position => Node.Position;

    public int Count => Arguments.Length;

    public Value this[int index] => Arguments[index];

    public Value Exhausted => Budget.Exhausted(Position);

    public bool TryText(int index, out string text, out Value failure)
    {
        if (Arguments[index].Kind == ValueKind.String)
        {
            return Reader.TryText(Arguments[index], Position, out text, out failure);
        }

        text = "";
        failure = WrongType(index, "a string");
        return false;
    }

    public bool TryTexts(out string first, out string second, out Value failure)
    {
        second = "";
        return TryText(0, out first, out failure) && TryText(1, out second, out failure);
    }

    public bool TryItems(int index, out Value[] items, out Value failure)
    {
        if (Arguments[index].Kind == ValueKind.List)
        {
            return Reader.TryItems(Arguments[index], Position, out items, out failure);
        }

        items = [];
        failure = WrongType(index, "a list");
        return false;
    }

    public bool TryMembers(int index, out OrderedDictionary<string, Value> members, out Value failure)
    {
        if (Arguments[index].Kind == ValueKind.Map)
        {
            return Reader.TryMembers(Arguments[index], Position, out members, out failure);
        }

        members = [];
        failure = WrongType(index, "a map");
        return false;
    }

    public bool TryInteger(int index, out long integer, out Value failure)
    {
        integer = Arguments[index].AsInt;
        failure = Arguments[index].Kind == ValueKind.Int ? default : WrongType(index, "an int");
        return Arguments[index].Kind == ValueKind.Int;
    }

    /// <summary>A list of strings as a list of .NET strings.</summary>
    public bool TryTextItems(int index, out string[] texts, out Value failure)
    {
        texts = [];
        if (!TryItems(index, out var items, out failure))
        {
            return false;
        }

        texts = new string[items.Length];
        for (var at = 0; at < items.Length; at++)
        {
            if (items[at].Kind != ValueKind.String)
            {
                failure = Fail(ExpressionErrorKind.Type, $"needs a list of strings; one of its items is {items[at].Described}");
                return false;
            }

            if (!Reader.TryText(items[at], Position, out texts[at], out failure))
            {
                return false;
            }
        }

        return true;
    }

    public Value WrongType(int index, string expected) =>
        Fail(ExpressionErrorKind.Type, $"needs {expected} {Place(index)}, not {Arguments[index].Described}");

    public Value Fail(ExpressionErrorKind kind, string problem) => Value.Error(kind, Position, $"{Node.Function.Usage} {problem}");

    private static string Place(int index) => index == 0 ? "first" : $"as argument {index + 1}";
}
