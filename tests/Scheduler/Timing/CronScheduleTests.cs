using System.Globalization;
using OpenWop.Micro.Scheduler.Timing;
using static OpenWop.Micro.Scheduler.Tests.Timing.Cron;

namespace OpenWop.Micro.Scheduler.Tests.Timing;

public sealed class CronScheduleTests
{
    [Theory]
    [InlineData("* * * * *", "2026-01-01 00:01")]
    [InlineData("  0   9 * * *  ", "2026-01-01 09:00")]
    [InlineData("*/15 8-17 * * MON-FRI", "2026-01-01 08:00")]
    [InlineData("5/20 * * * *", "2026-01-01 00:05")]
    [InlineData("0 0 29 2 *", "2028-02-29 00:00")]
    [InlineData("0 0 L * *", "2026-01-31 00:00")]
    [InlineData("0 0 LW * *", "2026-01-30 00:00")]
    [InlineData("0 0 15W * *", "2026-01-15 00:00")]
    [InlineData("0 0 * * 5#3", "2026-01-16 00:00")]
    [InlineData("0 0 * * FRIL", "2026-01-30 00:00")]
    [InlineData("0 0 * feb,apr *", "2026-02-01 00:00")]
    [InlineData("0 12 13 * FRI", "2026-01-02 12:00")] // a Friday or a 13th
    [InlineData("0 12 13 * ?", "2026-01-13 12:00")]
    [InlineData("0 12 */2 * FRI", "2026-01-09 12:00")] // a star first: both must hold
    [InlineData("*/120 * * * *", "2026-01-01 01:00")] // a step over more than there is leaves the first value
    [InlineData("*/60 */24 * * *", "2026-01-02 00:00")]
    [InlineData("20-40/50 * * * *", "2026-01-01 00:20")]
    public void Five_fields_name_the_next_slot(string text, string next) =>
        Assert.Equal(At(next), Parse(text).Next(At("2026-01-01")));

    [Theory]
    [InlineData("*/10 * * * * *", "2026-01-01 00:00:10")]
    [InlineData("@hourly", "2026-01-01 01:00")]
    [InlineData("@daily", "2026-01-02 00:00")]
    [InlineData("@weekly", "2026-01-04 00:00")]
    [InlineData("@monthly", "2026-02-01 00:00")]
    [InlineData("@yearly", "2027-01-01 00:00")]
    [InlineData("0 9 * * *", "2026-01-01 09:00")]
    public void Seconds_and_names_for_whole_expressions_are_there_when_asked_for(string text, string next)
    {
        Assert.Equal(At(next), Parse(text, extended: true).Next(At("2026-01-01")));
        if (text.Split(' ').Length != 5)
            Assert.Null(CronSchedule.TryParse(text, extended: false, TimeZoneInfo.Utc, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("* * * *")]
    [InlineData("* * * * * *")]
    [InlineData("60 * * * *")]
    [InlineData("-1 * * * *")]
    [InlineData("* 24 * * *")]
    [InlineData("* * 0 * *")]
    [InlineData("* * 32 * *")]
    [InlineData("* * * 0 *")]
    [InlineData("* * * 13 *")]
    [InlineData("* * * * 7")]
    [InlineData("* * * * 8")]
    [InlineData("5-1 * * * *")]
    [InlineData("* * * * FRI-MON")]
    [InlineData("*/0 * * * *")]
    [InlineData("*/-1 * * * *")]
    [InlineData("*/x * * * *")]
    [InlineData("*/ * * * *")]
    [InlineData("1,,2 * * * *")]
    [InlineData(",1 * * * *")]
    [InlineData("1, * * * *")]
    [InlineData("1.5 * * * *")]
    [InlineData("abc * * * *")]
    [InlineData("* * * * MONDAY")]
    [InlineData("* * 99W * *")]
    [InlineData("* * * * 5#9")]
    [InlineData("+1 * * * *")]
    [InlineData("１ * * * *")]
    [InlineData("?? * * * *")]
    [InlineData("* * * * *\0")]
    public void What_is_out_of_range_reversed_or_empty_is_refused(string text)
    {
        Assert.Null(CronSchedule.TryParse(text, extended: false, TimeZoneInfo.Utc, out var problem));
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void A_day_that_never_comes_has_no_slot() => Assert.Null(Parse("0 0 30 2 *").Next(At("2026-01-01")));

    [Theory]
    // New York: 2026-03-08 02:00 becomes 03:00 at 07:00 UTC; 2026-11-01 02:00 becomes 01:00 at 06:00 UTC.
    [InlineData("30 2 * * *", "America/New_York", "2026-03-07 12:00", "2026-03-09 12:00", "03-08 07:00|03-09 06:30")]
    [InlineData("0,30 2 * * *", "America/New_York", "2026-03-07 12:00", "2026-03-08 12:00", "03-08 07:00")]
    [InlineData("0 2,3 * * *", "America/New_York", "2026-03-07 12:00", "2026-03-08 12:00", "03-08 07:00")]
    [InlineData("0 3 * * *", "America/New_York", "2026-03-07 12:00", "2026-03-08 12:00", "03-08 07:00")]
    [InlineData("30 1 * * *", "America/New_York", "2026-10-31 12:00", "2026-11-02 12:00", "11-01 05:30|11-02 06:30")]
    [InlineData("30 0-2 * * *", "America/New_York", "2026-10-31 12:00", "2026-11-01 12:00", "11-01 04:30|11-01 05:30|11-01 07:30")]
    [InlineData("0 2 * * *", "America/New_York", "2026-10-31 12:00", "2026-11-01 12:00", "11-01 07:00")]
    // Every hour means elapsed time.
    [InlineData("30 * * * *", "America/New_York", "2026-11-01 04:00", "2026-11-01 08:00", "11-01 04:30|11-01 05:30|11-01 06:30|11-01 07:30")]
    [InlineData("30 * * * *", "America/New_York", "2026-03-08 06:00", "2026-03-08 09:00", "03-08 06:30|03-08 07:30|03-08 08:30")]
    // Lord Howe Island moves by half an hour: 2026-10-04 02:00 becomes 02:30 at 15:30 UTC the day before; 2026-04-05 02:00 becomes 01:30 at 15:00 UTC.
    [InlineData("15 2 * * *", "Australia/Lord_Howe", "2026-10-03 00:00", "2026-10-04 00:00", "10-03 15:30")]
    [InlineData("45 1 * * *", "Australia/Lord_Howe", "2026-04-04 00:00", "2026-04-05 12:00", "04-04 14:45")]
    // Samoa left out the 30th of December 2011 as a whole.
    [InlineData("0 12 * * *", "Pacific/Apia", "2011-12-29 00:00", "2011-12-31 12:00", "12-29 22:00|12-30 10:00|12-30 22:00")]
    // Midnight does not exist on some days.
    [InlineData("0 0 * * *", "Africa/Cairo", "2026-04-22 12:00", "2026-04-25 12:00", "04-22 22:00|04-23 22:00|04-24 21:00")]
    public void Where_the_clock_is_set_a_missing_time_fires_once_after_the_gap_and_a_repeated_one_the_first_time(
        string text, string zone, string after, string until, string slots) =>
        Assert.Equal(slots.Split('|'), Between(Parse(text, zone), after, until));

    [Theory]
    [InlineData("*/5 * * * *", 300)]
    [InlineData("* * * * *", 60)]
    public void Every_few_minutes_means_always(string text, int seconds)
    {
        foreach (var zone in (string[])["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"])
        {
            var cron = Parse(text, zone);
            var last = At("2026-01-01");
            foreach (var day in Enumerable.Range(0, 365))
            {
                var slot = cron.Next(last.AddDays(1).AddSeconds(-1))!.Value;
                Assert.Equal(last.AddDays(1), slot);
                last = slot;
            }

            // The hours around the changes slot by slot.
            foreach (var change in (string[])["2026-03-08 04:00", "2026-03-29 00:00", "2026-10-25 00:00", "2026-11-01 03:00", "2026-04-04 13:00", "2026-10-03 13:00", "2026-02-15 00:00", "2026-03-22 00:00"])
            {
                var at = At(change);
                for (var i = 0; i < 6 * 3600 / seconds; i++)
                {
                    var next = cron.Next(at)!.Value;
                    Assert.True(next - at == TimeSpan.FromSeconds(seconds), string.Create(CultureInfo.InvariantCulture, $"{zone}: {at:O} -> {next:O}"));
                    at = next;
                }
            }
        }
    }
}
