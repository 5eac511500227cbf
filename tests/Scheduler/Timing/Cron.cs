using System.Globalization;
using OpenWop.Micro.Scheduler.Timing;

namespace OpenWop.Micro.Scheduler.Tests.Timing;

/// <summary>Short ways to say cron expressions and times.</summary>
internal static class Cron
{
    public static CronSchedule Parse(string text, string zone = "UTC", bool extended = false) =>
        CronSchedule.TryParse(text, extended, TimeZoneInfo.FindSystemTimeZoneById(zone), out var problem)
            ?? throw new InvalidOperationException(problem);

    public static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    /// <summary>Slots within a span, the end included, in UTC as <c>MM-dd HH:mm</c>.</summary>
    public static string[] Between(CronSchedule cron, string after, string until)
    {
        var slots = new List<string>();
        for (var slot = cron.Next(At(after)); slot is { } at && at <= At(until); slot = cron.Next(at))
            slots.Add(at.UtcDateTime.ToString("MM-dd HH:mm", CultureInfo.InvariantCulture));

        return [.. slots];
    }
}
