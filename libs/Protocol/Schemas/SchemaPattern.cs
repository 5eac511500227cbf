using System.Text;
using System.Text.RegularExpressions;

namespace OpenWop.Micro.Protocol.Schemas;

/// <summary>
/// An ECMA-262 pattern as JSON Schema uses it. Runs in linear time where the pattern allows it; patterns with lookaround or
/// back references run under a time limit.
/// </summary>
internal sealed class SchemaPattern
{
    private readonly Regex _regex;

    private SchemaPattern(Regex regex) => _regex = regex;

    /// <summary>True when a match takes time proportional to the text; no clock is involved then.</summary>
    public bool IsLinear => _regex.Options.HasFlag(RegexOptions.NonBacktracking);

    /// <summary>Throws <see cref="ArgumentException"/> when the text is no pattern.</summary>
    public static SchemaPattern Compile(string pattern, SchemaLimits limits)
    {
        if (pattern.Length > limits.MaxPatternLength)
            throw new ArgumentException($"A pattern may have at most {limits.MaxPatternLength} characters.", nameof(pattern));

        var translated = Translate(pattern);
        try
        {
            return new SchemaPattern(new Regex(translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
        }
        catch (NotSupportedException)
        {
            return new SchemaPattern(new Regex(translated, RegexOptions.CultureInvariant, limits.PatternTimeout));
        }
    }

    /// <summary>Throws <see cref="RegexMatchTimeoutException"/> when the time limit is over.</summary>
    public bool IsMatch(string text) => _regex.IsMatch(text);

    /// <summary>
    /// Where the dialects differ silently: <c>$</c> is the very end and not the end before a line feed, and <c>\d</c>, <c>\w</c>
    /// mean ASCII. Everything else is either the same or refused by both.
    /// </summary>
    private static string Translate(string pattern)
    {
        var text = new StringBuilder(pattern.Length + 8);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            switch (c)
            {
                case '\\' when i + 1 < pattern.Length:
                    text.Append((pattern[++i], inClass) switch
                    {
                        ('d', false) => "[0-9]",
                        ('d', true) => "0-9",
                        ('D', false) => "[^0-9]",
                        ('w', false) => "[A-Za-z0-9_]",
                        ('w', true) => "A-Za-z0-9_",
                        ('W', false) => "[^A-Za-z0-9_]",
                        var (escaped, _) => $"\\{escaped}",
                    });
                    break;
                case '$' when !inClass:
                    text.Append(@"\z");
                    break;
                case '[' when inClass: // A plain character in ECMA-262, a subtraction or a syntax error in .NET.
                    text.Append(@"\[");
                    break;
                default:
                    inClass = c switch { '[' => true, ']' => false, _ => inClass };
                    text.Append(c);
                    break;
            }
        }

        return text.ToString();
    }
}
