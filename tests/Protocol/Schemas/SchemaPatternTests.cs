using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Protocol.Tests.Schemas;

/// <summary>Where patterns of ECMA-262 mean something else than they would in .NET.</summary>
public sealed class SchemaPatternTests
{
    [Theory]
    [InlineData("^a$", "a", true)]
    [InlineData("^a$", "a\n", false)]
    [InlineData("a$|b", "xa\n", false)]
    [InlineData(@"a\$", "a$", true)]
    [InlineData("[$]", "$", true)]
    [InlineData(@"^\d$", "7", true)]
    [InlineData(@"^\d$", "\u0667", false)]
    [InlineData(@"^[\d_]$", "\u0667", false)]
    [InlineData(@"^\D$", "\u0667", true)]
    [InlineData(@"^\w$", "é", false)]
    [InlineData(@"^[\w-]+$", "a-b_9", true)]
    [InlineData(@"^\W$", "é", true)]
    [InlineData("^[[]$", "[", true)]
    [InlineData("^[a[b]$", "[", true)]
    [InlineData(@"^[\]]$", "]", true)]
    [InlineData("b", "abc", true)]
    [InlineData("^(?!x).*$", "abc", true)]
    [InlineData("^(?!x).*$", "xbc", false)]
    [InlineData(@"^(a)\1$", "aa", true)]
    public void Patterns_match_as_javascript_has_it(string pattern, string text, bool expected) =>
        Assert.Equal(expected, SchemaPattern.Compile(pattern, SchemaLimits.Untrusted).IsMatch(text));

    [Theory]
    [InlineData("^(a+)+$", true)]
    [InlineData("(?=a)a", false)]
    [InlineData(@"(a)\1", false)]
    public void Patterns_run_in_linear_time_where_that_is_possible(string pattern, bool isLinear) =>
        Assert.Equal(isLinear, SchemaPattern.Compile(pattern, SchemaLimits.Untrusted).IsLinear);
}
