using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace OpenWop.Micro.Protocol.Expressions.Tests;

/// <summary>Expressions and data that are made to hurt end early, with an error that says which limit they met.</summary>
public sealed class HostileTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    public static TheoryData<string, string> Bombs => new()
    {
        { "nested loops", "range(1000).all(a, range(1000).all(b, range(1000).all(c, true)))" },
        { "long range", "range(9223372036854775807)" },
        { "doubling list", Repeat("[1]", 40, inner => $"({inner}).map(x, [x, x]).flatten()") },
        { "shared value that is small in memory and endless as text", Repeat("'0123456789'", 40, inner => $"[{inner}].map(x, [x, x]).first()") },
        { "shared value compared with itself", $"{Shared(30)} == {Shared(30)}" },
        { "shared value made distinct", $"[{Shared(30)}, {Shared(30)}].distinct()" },
        { "shared value as text", $"json({Shared(30)}).size()" },
        { "doubling text", Repeat("'0123456789abcdef'", 30, inner => $"[{inner}].map(x, x + x).first()") },
        { "text blown up by replace", Repeat("'aaaaaaaaaaaaaaaa'", 20, inner => $"({inner}).replace('a', 'aaaaaaaa')") },
        { "join", "range(50000).map(x, 'x').join('0123456789012345678901234567890123456789')" },
        { "search in repetitive text", $"range(1000).map(i, '{new string('a', 4000)}'.contains('{new string('a', 2000)}b'))" },
        { "sorting in a loop", "range(1000).map(x, range(1000).sort())" },
        { "patterns built in a loop", "range(1000).map(x, 'aaaa'.matches('(a|b|ab)*c' + string(x)))" },
        { "errors do not stop a loop from paying", "range(100000).exists(x, x.missing)" },
    };

    [Theory]
    [MemberData(nameof(Bombs))]
    public void Bombs_run_into_a_limit(string name, string text)
    {
        Assert.NotNull(name);
        var clock = Stopwatch.StartNew();
        var result = Language.Evaluate(text);

        Assert.Equal(ExpressionErrorKind.Limit, result.Error?.Kind);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, Soon);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("size(", ")")]
    [InlineData("!", "")]
    [InlineData("-", "")]
    [InlineData("true ? 1 : ", "")]
    [InlineData("{'a': ", "}")]
    [InlineData("a[", "]")]
    [InlineData("[1].map(x, ", ")")]
    public void Nesting_is_limited(string open, string close)
    {
        string Nested(int depth) => Repeat("1", depth, inner => open + inner + close);

        Assert.True(Expression.TryParse(Nested(Expression.MaxNesting - 1), out _, out _));
        Assert.False(Expression.TryParse(Nested(1000), out _, out var error));
        Assert.Equal(ExpressionErrorKind.Limit, error.Kind);
    }

    [Theory]
    [InlineData("1", " + 1")]
    [InlineData("inputs", ".a")]
    [InlineData("inputs", "[0]")]
    [InlineData("'a'", ".trim()")]
    [InlineData("true", " && true")]
    public void Chains_are_limited(string first, string next)
    {
        string Chain(int length) => first + string.Concat(Enumerable.Repeat(next, length));

        Assert.True(Expression.TryParse(Chain(500), out var expression, out _));
        Assert.NotEqual(ExpressionErrorKind.Limit, expression.Evaluate(Language.Scope).Error?.Kind);
        Assert.False(Expression.TryParse(Chain(1000), out _, out var error));
        Assert.Equal(ExpressionErrorKind.Limit, error.Kind);
    }

    [Fact]
    public void Length_is_limited()
    {
        Assert.True(Expression.TryParse(new string(' ', Expression.MaxLength - 1) + "1", out _, out _));
        Assert.False(Expression.TryParse(new string(' ', Expression.MaxLength) + "1", out _, out var error));
        Assert.Equal(ExpressionErrorKind.Limit, error.Kind);
    }

    [Theory]
    [InlineData("^(a+)+$")]
    [InlineData("^(a|a)*$")]
    [InlineData("(.*a){20}$")]
    [InlineData("(a?){200}a{5}$")]
    [InlineData("([a-z]*[a-z]*[a-z]*)*!$")]
    [InlineData("(a.{0,900})!$")]
    public void Patterns_that_explode_elsewhere_take_linear_time(string pattern)
    {
        var scope = new ExpressionScope().Add("text", JsonSerializer.SerializeToElement(new string('a', 100_000) + "?"));
        var clock = Stopwatch.StartNew();

        var result = Language.Parse($"text.matches('{pattern}')").Evaluate(scope);

        Assert.True(result.IsSuccess ? !result.Value.GetBoolean() : result.Error.Kind == ExpressionErrorKind.Limit, result.Error?.ToString());
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, Soon);
    }

    [Fact]
    public void Members_of_large_documents_are_not_searched_for_free()
    {
        var document = new StringBuilder("{");
        for (var index = 0; index < 100_000; index++)
        {
            document.Append(System.Globalization.CultureInfo.InvariantCulture, $"\"key{index}\":{index},");
        }

        var scope = new ExpressionScope().Add("big", JsonElement.Parse(document.Append("\"last\":[1]}").ToString()));
        var clock = Stopwatch.StartNew();

        Assert.Equal(ExpressionErrorKind.Limit, Language.Parse("range(10000).all(x, has(big.key0))").Evaluate(scope).Error?.Kind);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, Soon);
    }

    [Fact]
    public void The_size_of_the_result_is_limited()
    {
        var limits = new ExpressionLimits { MaxResultBytes = 20 };
        Assert.Equal("the value is larger than 20 bytes", Language.Evaluate("range(100)", limits).Error?.Message);
        Assert.Equal("the value is larger than 20 bytes", Language.Evaluate("inputs.orders", limits).Error?.Message);
        Assert.Equal("the value is larger than 20 bytes", Language.Evaluate("[inputs.orders]", limits).Error?.Message);
        Assert.True(Language.Evaluate("'0123456789'", limits).IsSuccess);
    }

    [Fact]
    public void The_depth_of_the_result_is_limited()
    {
        var deep = Repeat("1", 60, inner => $"[{inner}]");
        var scope = new ExpressionScope().Add("deep", JsonElement.Parse(deep));

        Assert.True(Language.Parse("[deep]").Evaluate(scope).IsSuccess);
        Assert.Equal("the value is nested more than 64 levels deep", Language.Parse("[[[[[deep]]]]]").Evaluate(scope).Error?.Message);
        Assert.Equal(
            "the value is nested more than 64 levels deep",
            Language.Parse(Repeat("[1]", 100, inner => $"{inner}.map(x, [x])")).Evaluate(scope).Error?.Message);
    }

    [Fact]
    public void An_expression_is_shared_between_threads()
    {
        var expression = Language.Parse("inputs.orders.filter(o, o.paid && o.id.matches('^o[0-9]$')).map(o, o.total).sum()");

        Parallel.For(0, 1000, _ => Assert.Equal("42.5", expression.Evaluate(Language.Scope).Value.GetRawText()));
    }

    private static string Shared(int levels) => Repeat("[1]", levels, inner => $"[{inner}].map(x, [x, x])");

    private static string Repeat(string seed, int times, Func<string, string> wrap)
    {
        for (var time = 0; time < times; time++)
        {
            seed = wrap(seed);
        }

        return seed;
    }
}
