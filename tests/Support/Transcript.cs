using System.Text.RegularExpressions;

namespace OpenWop.Micro.Testing;

/// <summary>
/// Holds what a document shows against what really comes out: the same lines, where ids, keys, times and durations may be others. In the
/// document <c>…</c> stands for any text, and on a line of its own for any lines.
/// </summary>
public static partial class Transcript
{
    /// <summary>The first difference in words; null when there is none.</summary>
    public static string? Difference(string shown, string real)
    {
        var (expected, actual) = (Lines(shown), Lines(real));
        var (i, j) = (0, 0);
        for (; i < expected.Length; i++)
        {
            if (expected[i] == "…")
            {
                // Any lines, up to the one that is shown next.
                if (i + 1 == expected.Length)
                    return null;
                while (j < actual.Length && !Fits(expected[i + 1], actual[j]))
                    j++;
                continue;
            }

            if (j == actual.Length)
                return $"nothing more came, where this is shown:\n{expected[i]}\nAll of it:\n{real}";
            if (!Fits(expected[i], actual[j++]))
                return $"this is shown:\n{expected[i]}\nand this came:\n{actual[j - 1]}\nAll of it:\n{real}";
        }

        return j == actual.Length ? null : $"this came and is not shown:\n{actual[j]}\nAll of it:\n{real}";
    }

    private static bool Fits(string shown, string real) => Regex.IsMatch(real, $"^{Regex.Escape(shown).Replace("…", ".*", StringComparison.Ordinal)}$");

    private static string[] Lines(string text) => [.. text.Trim().Split('\n').Select(Shape)];

    /// <summary>A line without what differs from one time to the next, and without the spaces that align it.</summary>
    private static string Shape(string line)
    {
        line = Time().Replace(line, "(time)");
        line = Key().Replace(line, "(key)");
        line = Id().Replace(line, "$1-(id)");
        line = Duration().Replace(line, "$1(number)");
        line = Address().Replace(line, "127.0.0.1:(port)");
        return Spaces().Replace(line, " ").TrimEnd();
    }

    [GeneratedRegex(@"(\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(\.\d+)?Z?")]
    private static partial Regex Time();

    [GeneratedRegex(@"\bhk_(test_)?([A-Za-z0-9_-]{20,}|…)")]
    private static partial Regex Key();

    [GeneratedRegex(@"\b(evt-run|run|wf|key|org|mem|sch|int|wh)-[0-9a-z]{16,}")]
    private static partial Regex Id();

    [GeneratedRegex(@"(""durationMs"":|""etag"":""\d+-|process +)[A-Za-z0-9_-]+")]
    private static partial Regex Duration();

    [GeneratedRegex(@"127\.0\.0\.1:\d+")]
    private static partial Regex Address();

    [GeneratedRegex(" {2,}")]
    private static partial Regex Spaces();
}
