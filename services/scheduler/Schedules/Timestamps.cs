using System.Globalization;

namespace OpenWop.Micro.Scheduler.Schedules;

/// <summary>Points in time as texts: RFC 3339, UTC, milliseconds.</summary>
internal static class Timestamps
{
    private const string Pattern = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    private static readonly string[] Accepted =
    [
        "yyyy-MM-dd'T'HH:mmK",
        "yyyy-MM-dd'T'HH:mm:ssK",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
    ];

    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString(Pattern, CultureInfo.InvariantCulture);

    /// <summary>A time with its offset, cut to the millisecond; null when the text is none.</summary>
    public static DateTimeOffset? TryParse(string text) =>
        text.Length is > 10 and < 40
        && (text[^1] is 'Z' or 'z' || text.LastIndexOfAny(['+', '-']) > 10)
        && DateTimeOffset.TryParseExact(text.ToUpperInvariant(), Accepted, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var time)
        && time.Year is >= 1970 and < 2100
            ? DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds())
            : null;
}
