namespace OpenWop.Micro.Scheduler.Timing;

/// <summary>What becomes of slots for which nobody was there in time.</summary>
internal enum MisfirePolicy
{
    /// <summary>They are dropped.</summary>
    Skip,

    /// <summary>They make one run together.</summary>
    FireOnce,

    /// <summary>Each makes its run, the newest ones up to a limit.</summary>
    FireAll,
}

/// <summary>What becomes of a slot while the run of the one before is not over.</summary>
internal enum OverlapPolicy
{
    /// <summary>Both run.</summary>
    Allow,

    /// <summary>The slot is dropped.</summary>
    Skip,

    /// <summary>The earlier run is cancelled.</summary>
    CancelPrevious,
}

/// <summary>Which slots a schedule has, and what is done about those that are late.</summary>
/// <param name="StartAt">No slot before; null = no limit.</param>
/// <param name="EndAt">No slot after; null = no limit.</param>
/// <param name="MisfireLimit">Most slots that <see cref="MisfirePolicy.FireAll"/> makes up for at once.</param>
internal sealed record FiringRules(
    Timetable Timetable, DateTimeOffset? StartAt, DateTimeOffset? EndAt, MisfirePolicy Misfire, int MisfireLimit)
{
    /// <summary>The first slot after an instant within the schedule's life, or null.</summary>
    public DateTimeOffset? Next(DateTimeOffset after)
    {
        // A start is a possible slot itself.
        if (StartAt is { } start && after < start)
            after = start - TimeSpan.FromMilliseconds(1);

        return Timetable.Next(after) is { } next && !(next > EndAt) ? next : null;
    }
}

/// <summary>What has to happen to a schedule now.</summary>
/// <param name="Fire">Slots that make runs, oldest first.</param>
/// <param name="Dropped">How many slots were passed over; a lower bound when there were too many to count.</param>
/// <param name="SettledUntil">Every slot up to here is decided on, for good.</param>
/// <param name="Next">The next slot, or null when there is none any more.</param>
internal sealed record DueSlots(IReadOnlyList<DateTimeOffset> Fire, int Dropped, DateTimeOffset SettledUntil, DateTimeOffset? Next)
{
    /// <summary>For how long after its time a slot counts as in time: what a restart or a change of owner takes is no misfire.</summary>
    public static readonly TimeSpan Punctuality = TimeSpan.FromSeconds(60);

    /// <summary>Slots that one pass looks at; a schedule of every second that was away for a week has more.</summary>
    private const int MaxSlots = 5_000;

    /// <summary>
    /// Decides on all slots after <paramref name="settledUntil"/> up to <paramref name="now"/>. Whoever asks when gets decisions that fit
    /// together: a slot is in one of them, never in two.
    /// </summary>
    public static DueSlots Decide(FiringRules rules, DateTimeOffset settledUntil, DateTimeOffset now)
    {
        var keep = rules.Misfire == MisfirePolicy.FireAll ? rules.MisfireLimit : 1;
        var slots = new Queue<DateTimeOffset>();
        var seen = 0;
        var next = rules.Next(settledUntil);

        // Only the newest slots may fire: where there are too many, the older half of the time is not worth a look.
        for (var from = settledUntil; next is { } slot && slot <= now;)
        {
            if (++seen % MaxSlots == 0)
            {
                from += (now - from) / 2;
                slots.Clear();
                next = rules.Next(from);
                continue;
            }

            slots.Enqueue(slot);
            if (slots.Count > keep)
                slots.Dequeue();

            next = rules.Next(slot);
        }

        if (rules.Misfire == MisfirePolicy.Skip && slots.TryPeek(out var last) && now - last >= Punctuality)
            slots.Clear();

        return new DueSlots([.. slots], seen - slots.Count, now > settledUntil ? now : settledUntil, next);
    }
}
