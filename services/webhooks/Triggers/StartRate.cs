namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>
/// When runs of a trigger may start: evenly spread at its rate, and one minute's worth at once when nothing has happened for a while. One
/// number is all there is to store: the time at which the whole allowance is there again. Nothing is refused for going too fast; it waits.
/// </summary>
internal static class StartRate
{
    private const long MinuteMs = 60_000;

    /// <summary>So long a start may wait at most; what would wait longer is skipped.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <param name="freeAt">Unix ms.</param>
    /// <param name="now">Unix ms.</param>
    /// <returns>When the next run may start, and the number to go on with.</returns>
    public static (long StartAt, long FreeAt) Take(long freeAt, int perMinute, long now)
    {
        // Rounded up: at most so many, whatever the rate.
        var interval = (MinuteMs + perMinute - 1) / perMinute;
        var next = Math.Max(freeAt, now) + interval;
        return (Math.Max(now, next - MinuteMs), next);
    }
}
