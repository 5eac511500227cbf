namespace OpenWop.Micro.Scheduler.Timing;

/// <summary>The slots of a schedule: points in time at which a run is wanted. The same slots whoever asks, and whenever.</summary>
internal abstract record Timetable
{
    /// <summary>The first slot after an instant, or null when there is none any more.</summary>
    public abstract DateTimeOffset? Next(DateTimeOffset after);

    /// <summary>How far before the creation of a schedule a slot may lie that is still its own: a cron minute is one slot, and it is due as long as it lasts.</summary>
    public virtual TimeSpan Grain => TimeSpan.Zero;

    /// <summary>By the clock on the wall.</summary>
    /// <param name="HasSeconds">Whether slots may lie within a minute.</param>
    public sealed record Cron(CronSchedule Schedule, bool HasSeconds) : Timetable
    {
        public override TimeSpan Grain => HasSeconds ? TimeSpan.Zero : TimeSpan.FromMinutes(1);

        public override DateTimeOffset? Next(DateTimeOffset after) => Schedule.Next(after);
    }

    /// <summary>Every so often from an anchor on, the anchor included.</summary>
    public sealed record Interval(TimeSpan Every, DateTimeOffset Anchor) : Timetable
    {
        public override DateTimeOffset? Next(DateTimeOffset after) =>
            after < Anchor ? Anchor : Anchor + (((after - Anchor).Ticks / Every.Ticks) + 1) * Every;
    }

    /// <summary>Once.</summary>
    public sealed record Once(DateTimeOffset At) : Timetable
    {
        public override DateTimeOffset? Next(DateTimeOffset after) => after < At ? At : null;
    }
}
