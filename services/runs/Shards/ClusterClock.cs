namespace OpenWop.Micro.Runs.Shards;

/// <summary>
/// The time of day as the database has it, so that instances agree on it however wrong their own clocks are: a run that changes its owner
/// goes on at its due times, and the times in its log do not jump. Timers and durations are those of the machine.
/// </summary>
internal sealed class ClusterClock(TimeProvider machine) : TimeProvider
{
    /// <summary>A smaller difference is not worth a jump; it is also what a measurement over the network can be off by.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(250);

    private long offset;

    public override TimeZoneInfo LocalTimeZone => machine.LocalTimeZone;

    public override long TimestampFrequency => machine.TimestampFrequency;

    /// <summary>How far this clock is ahead of the machine's.</summary>
    public TimeSpan Offset => TimeSpan.FromTicks(Volatile.Read(ref offset));

    public override DateTimeOffset GetUtcNow() => machine.GetUtcNow() + Offset;

    public override long GetTimestamp() => machine.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        machine.CreateTimer(callback, state, dueTime, period);

    /// <summary>The database's clock was seen ahead of the machine's by so much; true when that changes this clock.</summary>
    public bool Measured(TimeSpan ahead)
    {
        var target = ahead.Duration() < Tolerance ? TimeSpan.Zero : ahead;
        if ((target - Offset).Duration() < Tolerance)
            return false;

        Volatile.Write(ref offset, target.Ticks);
        return true;
    }
}
