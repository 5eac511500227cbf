namespace OpenWop.Micro.Protocol.Expressions.Tests;

/// <summary>Errors say what is wrong and where.</summary>
public sealed class ErrorTests
{
    [Theory]
    [InlineData("", 0, "the expression is empty")]
    [InlineData("  // nothing", 0, "the expression is empty")]
    [InlineData("1 +", 3, "a value is expected, not the end")]
    [InlineData("1 2", 2, "the end is expected, not a number")]
    [InlineData("(1", 2, "')' is expected, not the end")]
    [InlineData("[1, 2", 5, "']' is expected, not the end")]
    [InlineData("{'a' 1}", 5, "':' is expected, not a number")]
    [InlineData("{name: 1}", 1, "a key is an expression: write \"name\" in quotes")]
    [InlineData("a ? b", 5, "':' is expected, not the end")]
    [InlineData("a = b", 2, "unexpected '='; equality is '=='")]
    [InlineData("a & b", 2, "unexpected '&'; the logical and is '&&'")]
    [InlineData("a # b", 2, "unexpected character")]
    [InlineData("'abc", 0, "the string is not closed")]
    [InlineData("'a\nb'", 0, "the string is not closed before the end of the line")]
    [InlineData("'\\q'", 1, "unknown escape sequence")]
    [InlineData("'\\ud800'", 1, "unknown escape sequence")]
    [InlineData("9223372036854775808", 0, "the integer is outside the 64-bit range")]
    [InlineData("1e999", 0, "the number is too large")]
    [InlineData("12abc", 0, "a number must not be followed by a letter")]
    [InlineData("b'x'", 0, "unknown string prefix; only r\"…\" is known")]
    [InlineData("for", 0, "'for' is a reserved word")]
    [InlineData("inputs.", 7, "a member name is expected after '.' (write [\"…\"] for any other name), not the end")]
    [InlineData("sizeof(x)", 0, "there is no function 'sizeof'")]
    [InlineData("map(x, x)", 0, "'map' is called on a list, such as items.map(item, …)")]
    [InlineData("size()", 0, "size(x) does not take 0 arguments")]
    [InlineData("x.size(1)", 2, "size(x) does not take 2 arguments")]
    [InlineData("size(x,)", 7, "an argument is expected, not ')'")]
    [InlineData("x.map(1, 2)", 6, "a name for the item is expected first in 'map', not a number")]
    [InlineData("x.all(y)", 7, "',' is expected, not ')'")]
    [InlineData("has(x)", 0, "has(…) needs a member, such as has(inputs.name)")]
    [InlineData("x.matches('(')", 10, "the pattern is wrong at its position 1: InsufficientClosingParentheses")]
    [InlineData("x.matches('(?=a)')", 10, "the pattern uses lookarounds, backreferences or atomic groups, which are not supported")]
    [InlineData("x.matches('(a{1,100}){1,100}')", 10, "the pattern repeats more than 1000 times")]
    public void Of_the_text(string text, int position, string message)
    {
        Assert.False(Expression.TryParse(text, out var expression, out var error));
        Assert.Null(expression);
        Assert.Equal((position, message), (error.Position, error.Message));
    }

    [Theory]
    [InlineData("input.name", ExpressionErrorKind.Missing, 0, "there is no 'input' here; known are inputs, nodes, run, variables")]
    [InlineData("inputs.missing", ExpressionErrorKind.Missing, 7, "there is no member 'missing'")]
    [InlineData("inputs.nothing.x", ExpressionErrorKind.Missing, 15, "there is no member 'x' in null")]
    [InlineData("inputs.list.x", ExpressionErrorKind.Type, 12, "a list has no member 'x'")]
    [InlineData("inputs['missing']", ExpressionErrorKind.Missing, 6, "there is no such member")]
    [InlineData("inputs.list[3]", ExpressionErrorKind.Missing, 11, "the index is outside the list")]
    [InlineData("inputs.list[-1]", ExpressionErrorKind.Missing, 11, "the index is outside the list")]
    [InlineData("inputs.list['a']", ExpressionErrorKind.Type, 11, "the index of a list must be an int, not a string")]
    [InlineData("inputs[1]", ExpressionErrorKind.Type, 6, "the key of a map must be a string, not an int")]
    [InlineData("1 + 'a'", ExpressionErrorKind.Type, 2, "'+' does not go between int and string; convert with string(…)")]
    [InlineData("null + 1", ExpressionErrorKind.Type, 5, "'+' does not go between null and int")]
    [InlineData("9223372036854775807 + 1", ExpressionErrorKind.Value, 20, "the integer is outside the 64-bit range")]
    [InlineData("-9223372036854775808 / -1", ExpressionErrorKind.Value, 21, "the integer is outside the 64-bit range")]
    [InlineData("inputs.big + 1", ExpressionErrorKind.Value, 11, "the integer is outside the 64-bit range")]
    [InlineData("1 / 0", ExpressionErrorKind.Value, 2, "division by zero")]
    [InlineData("1 % 0", ExpressionErrorKind.Value, 2, "division by zero")]
    [InlineData("1.0 / 0", ExpressionErrorKind.Value, 4, "division by zero")]
    [InlineData("1e308 * 10", ExpressionErrorKind.Value, 6, "the number is too large")]
    [InlineData("1 ? 2 : 3", ExpressionErrorKind.Type, 2, "the condition before '?' must be a bool, not an int")]
    [InlineData("1 && true", ExpressionErrorKind.Type, 2, "'&&' needs bools, not an int")]
    [InlineData("!1", ExpressionErrorKind.Type, 0, "'!' needs a bool, not an int")]
    [InlineData("1 < 'a'", ExpressionErrorKind.Type, 2, "an int and a string have no order")]
    [InlineData("1 in 2", ExpressionErrorKind.Type, 2, "'in' needs a list or a map, not an int")]
    [InlineData("'abc'.map(x, x)", ExpressionErrorKind.Type, 6, "'map' needs a list or a map, not a string")]
    [InlineData("[1].filter(x, x)", ExpressionErrorKind.Type, 14, "the condition of 'filter' must be a bool, not an int")]
    [InlineData("[1, 'a'].sort()", ExpressionErrorKind.Type, 9, "sorting needs numbers or strings, not int and string")]
    [InlineData("{'a': 1, 'a': 2}", ExpressionErrorKind.Value, 9, "the key occurs twice in the map")]
    [InlineData("{1: 2}", ExpressionErrorKind.Type, 1, "a key must be a string, not an int")]
    [InlineData("int('x')", ExpressionErrorKind.Value, 0, "int(x) does not understand the string as an integer")]
    [InlineData("int(1e30)", ExpressionErrorKind.Value, 0, "the integer is outside the 64-bit range")]
    [InlineData("[].first()", ExpressionErrorKind.Missing, 3, "first(list) has no item in an empty list")]
    [InlineData("lower(1)", ExpressionErrorKind.Type, 0, "lower(text) needs a string first, not an int")]
    [InlineData("replace('a', 'b', 1)", ExpressionErrorKind.Type, 0, "replace(text, part, by) needs a string as argument 3, not an int")]
    [InlineData("'abc'.substring(4)", ExpressionErrorKind.Value, 6, "substring(text, start, end) goes beyond the string")]
    [InlineData("parseJson('{')", ExpressionErrorKind.Value, 0, "parseJson(text) does not understand the string as JSON")]
    [InlineData("inputs.half.size()", ExpressionErrorKind.Value, 12, "a string of the data is not valid Unicode")]
    [InlineData("inputs.broken.keys()", ExpressionErrorKind.Value, 14, "a string of the data is not valid Unicode")]
    [InlineData("inputs.broken.name", ExpressionErrorKind.Value, 14, "a string of the data is not valid Unicode")]
    public void Of_the_evaluation(string text, ExpressionErrorKind kind, int position, string message)
    {
        var result = Language.Evaluate(text);
        Assert.False(result.IsSuccess);
        Assert.Equal(new ExpressionError(kind, position, message), result.Error);
    }
}
