using System.Globalization;

namespace OpenWop.Micro.Scheduler.Timing;

/// <summary>
/// What a cron expression has to look like before the parser sees it. The parser is more generous than we are: it takes ranges that
/// run backwards and a day of the week 7, which hide mistakes.
/// </summary>
internal static class CronFields
{
    private static readonly string[] Months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    private static readonly string[] Days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    private static readonly Field Second = new("second", 0, 59, []);

    private static readonly Field[] Standard =
    [
        new("minute", 0, 59, []),
        new("hour", 0, 23, []),
        new("day of month", 1, 31, []),
        new("month", 1, 12, Months),
        new("day of week", 0, 6, Days),
    ];

    /// <summary>Why the fields cannot be, or null. The message names the field, not its text.</summary>
    /// <param name="fields">Five, or six with seconds in front.</param>
    public static string? Check(ReadOnlySpan<string> fields)
    {
        if (fields.Length == Standard.Length + 1)
        {
            if (CheckField(fields[0], Second) is { } problem)
                return problem;

            fields = fields[1..];
        }

        for (var i = 0; i < Standard.Length; i++)
        {
            if (CheckField(fields[i], Standard[i]) is { } problem)
                return problem;
        }

        return null;
    }

    /// <summary>
    /// The fields as the parser takes them. A step over more than the field has leaves the first value, as it does in cron; the parser
    /// knows no such steps.
    /// </summary>
    /// <param name="fields">What has passed the check.</param>
    public static string[] Normalize(string[] fields)
    {
        Field[] known = fields.Length == Standard.Length ? Standard : [Second, .. Standard];
        return [.. fields.Select((text, i) => string.Join(',', text.Split(',').Select(item => Normalize(item, known[i]))))];
    }

    private static string Normalize(string item, Field field)
    {
        var slash = item.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || Number(item[(slash + 1)..]) <= field.Max - field.Min)
            return item;

        var range = item[..slash];
        var dash = range.IndexOf('-', StringComparison.Ordinal);
        return range is "*" or "?" ? field.Min.ToString(CultureInfo.InvariantCulture) : dash < 0 ? range : range[..dash];
    }

    private static string? CheckField(string text, Field field)
    {
        foreach (var item in text.Split(','))
        {
            if (CheckItem(item, field) is { } problem)
                return $"bad cron: the {field.Name} field {problem}.";
        }

        return null;
    }

    private static string? CheckItem(string item, Field field)
    {
        if (item.Length == 0)
            return "has an empty item";

        var slash = item.IndexOf('/', StringComparison.Ordinal);
        var range = slash < 0 ? item : item[..slash];
        if (slash >= 0 && !(Number(item[(slash + 1)..]) is >= 1))
            return "has a step that is not a number from 1 on";

        if (range is "*" || (range is "?" && field.Min != field.Max && field.Name.StartsWith("day", StringComparison.Ordinal)))
            return null;

        // L, W and # are the parser's.
        if (IsSpecial(range, field))
            return null;

        var dash = range.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0)
            return Value(range, field) is null ? $"has a value that is not from {field.Min} to {field.Max}" : null;

        return (Value(range[..dash], field), Value(range[(dash + 1)..], field)) switch
        {
            ({ } from, { } to) when from <= to => null,
            ({ }, { }) => "has a range that runs backwards",
            _ => $"has a range that is not within {field.Min} to {field.Max}",
        };
    }

    private static bool IsSpecial(string range, Field field) => field.Name switch
    {
        "day of month" => range.StartsWith('L') || range.StartsWith('l') || range.EndsWith('W') || range.EndsWith('w'),
        "day of week" => range.Contains('#', StringComparison.Ordinal) ? Value(range[..range.IndexOf('#', StringComparison.Ordinal)], field) is not null
            : range.Length > 1 && range[^1] is 'L' or 'l' && Value(range[..^1], field) is not null,
        _ => false,
    };

    private static int? Value(string text, Field field)
    {
        var value = Number(text);
        if (value is null && field.Names.Length > 0)
        {
            var index = Array.FindIndex(field.Names, name => name.Equals(text, StringComparison.OrdinalIgnoreCase));
            value = index < 0 ? null : index + field.Min;
        }

        return value >= field.Min && value <= field.Max ? value : null;
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    private sealed record Field(string Name, int Min, int Max, string[] Names);
}
