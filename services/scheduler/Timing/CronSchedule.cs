using Cronos;

namespace OpenWop.Micro.Scheduler.Timing;

/// <summary>
/// A cron expression in a time zone.
/// </summary>
/// <remarks>
/// The expression says what the clock on the wall shows; <see cref="LocalTimes"/> says when it shows that. Where the clock is set:
/// <list type="number">
/// <item>Forward: times that are left out fire once, together, at the first instant after the gap. 02:30 on the day when 02:00 becomes
/// 03:00 fires at 03:00.</item>
/// <item>Back: times that come twice fire once, the first time.</item>
/// <item>An expression for every hour (<c>*</c>) means elapsed time, not a time of day: it goes on through both hours that look the same
/// and makes no extra slot after a gap. <c>*/5 * * * *</c> fires every five minutes, always.</item>
/// </list>
/// Days: when day of month and day of week are both given and neither begins with a star, either is enough, as in every cron since 1979.
/// </remarks>
internal sealed class CronSchedule
{
    public const int MaxLength = 256;

    private const int StandardFields = 5;

    private readonly CronExpression _first;
    private readonly CronExpression? _second;
    private readonly TimeZoneInfo _zone;
    private readonly bool _everyHour;

    private CronSchedule(CronExpression first, CronExpression? second, TimeZoneInfo zone, bool everyHour)
    {
        _first = first;
        _second = second;
        _zone = zone;
        _everyHour = everyHour;
    }

    /// <summary>Reads an expression.</summary>
    /// <param name="text">Five fields; with <paramref name="extended"/> also six, the first of them seconds, and the forms <c>@hourly</c>, <c>@daily</c> and so on.</param>
    /// <param name="problem">Why it is none, for people.</param>
    public static CronSchedule? TryParse(string text, bool extended, TimeZoneInfo zone, out string problem)
    {
        problem = "";
        if (text.Length > MaxLength)
        {
            problem = $"bad cron: more than {MaxLength} characters.";
            return null;
        }

        var fields = text.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (extended && fields is [['@', ..]] && Macro(fields[0]) is { } expanded)
            fields = expanded.Split(' ');

        if (fields.Length != StandardFields && !(extended && fields.Length == StandardFields + 1))
        {
            problem = extended ? "bad cron: 5 fields, 6 fields or a form such as @hourly are needed." : "bad cron: 5 fields are needed.";
            return null;
        }

        if (CronFields.Check(fields) is { } misfit)
        {
            problem = misfit;
            return null;
        }

        var everyHour = IsEveryHour(fields);
        var eitherDay = !IsAny(fields[^3]) && !IsAny(fields[^1]);
        fields = CronFields.Normalize(fields);
        try
        {
            if (!eitherDay)
                return new CronSchedule(Parse(fields), null, zone, everyHour);

            string[] byDay = [.. fields[..^1], "*"];
            string[] byWeekday = [.. fields[..^3], "*", .. fields[^2..]];
            return new CronSchedule(Parse(byDay), Parse(byWeekday), zone, everyHour);
        }
        catch (CronFormatException exception)
        {
            problem = $"bad cron: {exception.Message}";
            return null;
        }
    }

    /// <summary>The first slot after an instant, or null when there is none before the year 2100.</summary>
    public DateTimeOffset? Next(DateTimeOffset after)
    {
        var instant = after.UtcDateTime;
        var next = _everyHour ? NextElapsed(instant) : NextOfDay(instant);
        return next is { } time ? new DateTimeOffset(time) : null;
    }

    /// <summary>Rules 1 and 2.</summary>
    private DateTime? NextOfDay(DateTime after)
    {
        // A time that comes twice has fired when it comes again: those are passed over, at most an hour's worth.
        for (var local = Match(LocalTimes.ToLocal(after, _zone), inclusive: false); local is { } time; local = Match(time, inclusive: false))
        {
            var instant = LocalTimes.ToInstants(time, _zone).Earlier;
            if (instant > after)
                return instant;
        }

        return null;
    }

    /// <summary>Rule 3.</summary>
    private DateTime? NextElapsed(DateTime after)
    {
        var now = LocalTimes.ToLocal(after, _zone);
        var next = First(after, now, inclusive: false);

        // The clock may be set back before that: what it then shows again is matched from the beginning of the repetition.
        var repeated = LocalTimes.ToInstants(now, _zone);
        if (!repeated.IsRepeated || after >= repeated.Later)
            return next;

        var again = First(after, now - (repeated.Later - repeated.Earlier), inclusive: true, second: true);
        return again < next ? again : next;
    }

    private DateTime? First(DateTime after, DateTime from, bool inclusive, bool second = false)
    {
        for (var local = Match(from, inclusive); local is { } time; local = Match(time, inclusive: false))
        {
            var instants = LocalTimes.ToInstants(time, _zone);
            if (instants.IsMissing || (second && !instants.IsRepeated && instants.Earlier <= after))
                continue;

            if (!second && instants.Earlier > after)
                return instants.Earlier;

            if (instants.Later > after)
                return instants.Later;
        }

        return null;
    }

    private DateTime? Match(DateTime local, bool inclusive)
    {
        // The parser knows no years beyond its last one.
        if (local.Year >= 2099 && local.Month == 12 && local.Day == 31)
            return null;

        var first = _first.GetNextOccurrence(local, inclusive);
        return _second?.GetNextOccurrence(local, inclusive) is { } second && !(second > first) ? second : first;
    }

    private static CronExpression Parse(string[] fields) =>
        CronExpression.Parse(string.Join(' ', fields), fields.Length == StandardFields ? CronFormat.Standard : CronFormat.IncludeSeconds);

    private static bool IsAny(string field) => field[0] is '*' or '?';

    private static bool IsEveryHour(string[] fields) => fields[^4] is "*" or "*/1";

    private static string? Macro(string name) => name switch
    {
        "@yearly" or "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" or "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        "@every_minute" => "* * * * *",
        "@every_second" => "* * * * * *",
        _ => null,
    };
}
