using System.Diagnostics;
using System.Text.Json;
using CsCheck;

namespace OpenWop.Micro.Protocol.Expressions.Tests;

public sealed class PropertyTests
{
    [Fact]
    public void Printing_and_parsing_gives_the_same_tree() => SyntaxTrees.Any().Sample(
        tree =>
        {
            var text = Syntax.Printer.Print(tree);
            Assert.True(Expression.TryParse(text, out var expression, out var error), $"{text}: {error}");
            Assert.Equal(SyntaxTrees.Structure(tree), SyntaxTrees.Structure(expression.Root));
            Assert.Equal(text, expression.ToString());
        },
        iter: 3000,
        print: Syntax.Printer.Print);

    [Fact]
    public void Evaluation_never_throws_and_keeps_to_its_budget() => Gen.Select(SyntaxTrees.Any(6), Gen.Int[0, 2000]).Sample(
        (tree, steps) =>
        {
            var expression = Language.Parse(Syntax.Printer.Print(tree));
            var clock = Stopwatch.StartNew();

            var result = expression.Evaluate(Language.Scope, new ExpressionLimits { MaxSteps = steps, MaxResultBytes = 4096 });

            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(1));
            Assert.Equal(result.IsSuccess, result.Value.ValueKind != JsonValueKind.Undefined);
            Assert.True(!result.IsSuccess || result.Value.GetRawText().Length <= 4096);
        },
        iter: 5000,
        print: parts => Syntax.Printer.Print(parts.Item1));

    [Fact]
    public void Evaluation_gives_the_same_each_time() => SyntaxTrees.Any(6).Sample(
        tree =>
        {
            var expression = Language.Parse(Syntax.Printer.Print(tree));
            var (first, second) = (expression.Evaluate(Language.Scope), expression.Evaluate(Language.Scope));
            Assert.Equal(first.Error, second.Error);
            Assert.True(!first.IsSuccess || first.Value.GetRawText() == second.Value.GetRawText());
        },
        iter: 2000,
        print: Syntax.Printer.Print);

    [Fact]
    public void Any_text_is_an_expression_or_an_error() => Gen.OneOf(
            "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "+", "-", "!", "&&", "==", "in", " ", "'", "\"", "\\", "a", "has(", "x.map(y,", "1", "0x", "1e", "//", "\n", "\ud83d", "€")
        .Array[0, 30].Sample(
            pieces =>
            {
                var text = string.Concat(pieces);
                if (Expression.TryParse(text, out var expression, out var error))
                {
                    expression.Evaluate(Language.Scope);
                }
                else
                {
                    Assert.InRange(error.Position, 0, text.Length);
                }
            },
            iter: 20000);
}
