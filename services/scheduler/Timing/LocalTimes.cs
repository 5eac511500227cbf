namespace OpenWop.Micro.Scheduler.Timing;

/// <summary>The instants at which a clock on the wall of a time zone shows some time: one, two after the clock was set back, or none.</summary>
/// <param name="Earlier">The instant; the first of two; where there is none, the first instant after the gap.</param>
/// <param name="Later">The second of two; else the same as <paramref name="Earlier"/>.</param>
/// <param name="IsMissing">True when the clock was set forward over this time.</param>
internal readonly record struct LocalInstants(DateTime Earlier, DateTime Later, bool IsMissing)
{
    public bool IsRepeated => Later != Earlier;
}

/// <summary>
/// Wall clock times of a zone as instants. Asks the zone for nothing but the offset at an instant, which is the one question that has a
/// single answer. All values are <see cref="DateTimeKind.Utc"/>, wall clock times too, so that their arithmetic is plain.
/// </summary>
internal static class LocalTimes
{
    /// <summary>No zone changes its offset twice within this time.</summary>
    private static readonly TimeSpan Around = TimeSpan.FromDays(1);

    public static DateTime ToLocal(DateTime instant, TimeZoneInfo zone) => Shift(instant, zone.GetUtcOffset(instant));

    public static LocalInstants ToInstants(DateTime local, TimeZoneInfo zone)
    {
        // A day to each side is on either side of any change of the offset that can concern this time.
        var before = zone.GetUtcOffset(Shift(local, -Around));
        var after = zone.GetUtcOffset(Shift(local, Around));
        var first = Shift(local, -before);
        if (before == after)
            return new LocalInstants(first, first, IsMissing: false);

        var second = Shift(local, -after);
        return (zone.GetUtcOffset(first) == before, zone.GetUtcOffset(second) == after) switch
        {
            (true, true) => new LocalInstants(first, second, IsMissing: false),
            (true, false) => new LocalInstants(first, first, IsMissing: false),
            (false, true) => new LocalInstants(second, second, IsMissing: false),
            (false, false) => Missing(FindChange(Shift(local, -Around), Shift(local, Around), before, zone)),
        };
    }

    private static LocalInstants Missing(DateTime end) => new(end, end, IsMissing: true);

    /// <summary>The first instant, to the millisecond, at which the offset is another one than at <paramref name="low"/>.</summary>
    private static DateTime FindChange(DateTime low, DateTime high, TimeSpan before, TimeZoneInfo zone)
    {
        while (high - low > TimeSpan.FromMilliseconds(1))
        {
            var middle = new DateTime((low.Ticks + high.Ticks) / 2 / TimeSpan.TicksPerMillisecond * TimeSpan.TicksPerMillisecond, DateTimeKind.Utc);
            if (middle == low)
                break;

            if (zone.GetUtcOffset(middle) == before)
                low = middle;
            else
                high = middle;
        }

        return high;
    }

    /// <summary>Saturates at the ends of the calendar.</summary>
    private static DateTime Shift(DateTime time, TimeSpan by) => by < TimeSpan.Zero
        ? time - DateTime.MinValue < -by ? DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc) : time + by
        : DateTime.MaxValue - time < by ? DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc) : time + by;
}
