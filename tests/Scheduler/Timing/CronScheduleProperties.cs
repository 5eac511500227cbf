using System.Globalization;
using CsCheck;

namespace OpenWop.Micro.Scheduler.Tests.Timing;

/// <summary>The schedule agrees with a clock on the wall that somebody watches minute by minute.</summary>
public sealed class CronScheduleProperties
{
    private static readonly string[] Zones = ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Auckland", "Asia/Kolkata", "America/Sao_Paulo", "Africa/Casablanca"];

    private static readonly Gen<string> Minutes = Gen.OneOf(
        Gen.Const("*"), Gen.Int[0, 59].Select(Text), Gen.Int[1, 30].Select(step => $"*/{step}"), Gen.Select(Gen.Int[0, 29], Gen.Int[30, 59], (a, b) => $"{a},{b}"));

    private static readonly Gen<string> Hours = Gen.OneOf(
        Gen.Const("*"), Gen.Int[0, 23].Select(Text), Gen.Select(Gen.Int[0, 11], Gen.Int[12, 23], (a, b) => $"{a}-{b}"), Gen.Const("1,2,3"));

    private static readonly Gen<string> Days = Gen.OneOf(Gen.Const("*"), Gen.Int[1, 31].Select(Text));

    private static readonly Gen<string> Weekdays = Gen.OneOf(Gen.Const("*"), Gen.Int[0, 6].Select(Text));

    [Fact]
    public void It_fires_exactly_when_a_watcher_of_the_wall_clock_says_so() =>
        Gen.Select(Minutes, Hours, Days, Weekdays, Choice.Of(Zones), Gen.Int[0, 364], (minute, hour, day, weekday, zone, start) => (minute, hour, day, weekday, zone, start))
            .Sample(
                sample =>
                {
                    var (minute, hour, day, weekday, zone, start) = sample;
                    var from = Cron.At("2026-01-01").AddDays(start);
                    var until = from.AddDays(3);
                    var expected = Watch(minute, hour, day, weekday, TimeZoneInfo.FindSystemTimeZoneById(zone), from, until);
                    var cron = Cron.Parse($"{minute} {hour} {day} * {weekday}", zone);
                    var actual = new List<DateTimeOffset>();
                    for (var slot = cron.Next(from); slot is { } at && at <= until; slot = cron.Next(at))
                        actual.Add(at);

                    return expected.SequenceEqual(actual);
                },
                iter: 400);

    [Fact]
    public void Whoever_asks_when_gets_the_same_slots() =>
        Gen.Select(Minutes, Hours, Choice.Of(Zones), Gen.Int[0, 364 * 24 * 60], Gen.Int[1, 5000], (minute, hour, zone, start, later) => (minute, hour, zone, start, later))
            .Sample(
                sample =>
                {
                    var cron = Cron.Parse($"{sample.minute} {sample.hour} * * *", sample.zone);
                    var from = Cron.At("2026-01-01").AddMinutes(sample.start);
                    var next = cron.Next(from)!.Value;
                    var middle = from.AddSeconds(sample.later);
                    return middle >= next || cron.Next(middle) == next;
                },
                iter: 2000);

    /// <summary>
    /// An oracle of another make: it goes through the instants, sees what the wall clock shows, and keeps what fires. Times that were left
    /// out are those between what it showed a minute ago and what it shows now.
    /// </summary>
    private static List<DateTimeOffset> Watch(
        string minute, string hour, string day, string weekday, TimeZoneInfo zone, DateTimeOffset from, DateTimeOffset until)
    {
        var fired = new List<DateTimeOffset>();
        var seen = new HashSet<DateTime>();
        var everyHour = hour == "*";
        var before = TimeZoneInfo.ConvertTime(from.AddDays(-1), zone).DateTime;
        for (var at = from.AddDays(-1).AddMinutes(1); at <= until; at = at.AddMinutes(1))
        {
            var shows = TimeZoneInfo.ConvertTime(at, zone).DateTime;
            var fires = false;
            for (var leftOut = before.AddMinutes(1); !everyHour && leftOut < shows; leftOut = leftOut.AddMinutes(1))
                fires |= Matches(leftOut) && seen.Add(leftOut);

            fires |= Matches(shows) && (seen.Add(shows) || everyHour);
            before = shows;
            if (fires && at > from)
                fired.Add(at);
        }

        return fired;

        bool Matches(DateTime local) =>
            Field(minute, local.Minute, 0) && Field(hour, local.Hour, 0)
            && (day == "*" || weekday == "*"
                ? Field(day, local.Day, 1) && Field(weekday, (int)local.DayOfWeek, 0)
                : Field(day, local.Day, 1) || Field(weekday, (int)local.DayOfWeek, 0));
    }

    private static bool Field(string text, int value, int min)
    {
        foreach (var item in text.Split(','))
        {
            var parts = item.Split('/');
            var bounds = parts[0] == "*" ? [min, 99] : Array.ConvertAll(parts[0].Split('-'), part => int.Parse(part, CultureInfo.InvariantCulture));
            var step = parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 1;
            if (value >= bounds[0] && value <= bounds[^1] && (value - bounds[0]) % step == 0)
                return true;
        }

        return false;
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
