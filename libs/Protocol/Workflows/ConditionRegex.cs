using System.Text.RegularExpressions;

namespace OpenWop.Micro.Protocol.Workflows;

/// <summary>
/// Regular expressions of edge conditions. They decide where a run goes, so that they must always come to the same answer:
/// only patterns that run in linear time are allowed, and no clock can interrupt them.
/// </summary>
public static class ConditionRegex
{
    /// <summary>Longest pattern in characters.</summary>
    public const int MaxLength = 1_024;

    /// <summary>Compiles a pattern. Null when it is no pattern, is too long, or needs backtracking (lookaround, back references).</summary>
    public static Regex? Compile(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        if (pattern.Length > MaxLength)
            return null;

        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}
