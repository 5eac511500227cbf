using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using OpenWop.Micro.Protocol.Expressions.Evaluation;

namespace OpenWop.Micro.Protocol.Expressions.Functions;

/// <summary>
/// Regular expressions without backtracking: matching takes time proportional to the text. Patterns are short and repeat
/// little, because that is what their automata grow with, and a time limit stands behind all of it.
/// </summary>
internal static class Patterns
{
    public const string FunctionName = "matches";

    /// <summary>Longest pattern in characters.</summary>
    public const int MaxLength = 512;

    /// <summary>Highest number in a counted repetition such as <c>{2,10}</c>, and of all of them multiplied.</summary>
    public const int MaxRepetitions = 1000;

    /// <summary>Time limit of one match.</summary>
    public static readonly TimeSpan MatchTimeout = TimeSpan.FromMilliseconds(250);

    /// <summary>What building an automaton costs in steps.</summary>
    private const int CompilationSteps = 500;

    private const int CharactersPerStep = 8;
    private const int PatternCharactersPerStep = 32;

    /// <summary>Compiles a pattern; false with the reason.</summary>
    public static bool TryCompile(string pattern, [NotNullWhen(true)] out Regex? regex, out string reason)
    {
        regex = null;
        if (pattern.Length > MaxLength)
        {
            reason = $"the pattern is longer than {MaxLength} characters";
            return false;
        }

        if (Repetitions(pattern) > MaxRepetitions)
        {
            reason = $"the pattern repeats more than {MaxRepetitions} times";
            return false;
        }

        try
        {
            regex = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, MatchTimeout);
            reason = "";
            return true;
        }
        catch (RegexParseException exception)
        {
            reason = $"the pattern is wrong at its position {exception.Offset}: {exception.Error}";
            return false;
        }
        catch (NotSupportedException)
        {
            reason = "the pattern uses lookarounds, backreferences or atomic groups, which are not supported";
            return false;
        }
    }

    /// <summary>Whether a text matches; null when the time limit struck.</summary>
    public static bool? IsMatch(Regex regex, string text)
    {
        try
        {
            return regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return null;
        }
    }

    public static Value Matches(Call call)
    {
        if (!call.TryText(0, out var text, out var failure))
        {
            return failure;
        }

        var regex = call.Node.Pattern;
        if (regex is null)
        {
            if (!call.TryText(1, out var pattern, out failure))
            {
                return failure;
            }

            if (!call.Budget.Spend(CompilationSteps))
            {
                return call.Exhausted;
            }

            if (!TryCompile(pattern, out regex, out var reason))
            {
                return Value.Error(ExpressionErrorKind.Value, call.Position, reason);
            }
        }

        // At worst an automaton goes through as many states per character as its pattern has parts.
        var steps = text.Length / CharactersPerStep * (1L + (regex.ToString().Length / PatternCharactersPerStep));
        return !call.Budget.Spend(steps) ? call.Exhausted
            : IsMatch(regex, text) is { } matches ? Value.Bool(matches)
            : Value.Error(ExpressionErrorKind.Limit, call.Position, $"matching takes longer than {MatchTimeout.TotalMilliseconds} ms");
    }

    /// <summary>
    /// The numbers in braces multiplied, whether they are nested or not; text in braces that is no repetition counts too if it
    /// looks like one.
    /// </summary>
    private static long Repetitions(string pattern)
    {
        long product = 1;
        foreach (var braces in pattern.Split('{').Skip(1))
        {
            var bounds = braces.AsSpan(0, Math.Max(0, braces.IndexOf('}', StringComparison.Ordinal)));
            var last = bounds[(bounds.LastIndexOf(',') + 1)..].Trim();
            var upper = last.IsEmpty ? bounds.Trim(',') : last;
            if (!upper.IsEmpty && upper.IndexOfAnyExceptInRange('0', '9') < 0)
            {
                product *= long.TryParse(upper, out var count) ? Math.Max(1, count) : MaxRepetitions + 1L;
                if (product > MaxRepetitions)
                {
                    return product;
                }
            }
        }

        return product;
    }
}
