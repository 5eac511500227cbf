using System.Text.Json;
using OpenWop.Micro.Scheduler.Timing;

namespace OpenWop.Micro.Scheduler.Schedules;

/// <summary>What a caller asks for: when, what, and what about slots that are late or overlap. Stored as the JSON that it was read from.</summary>
internal sealed record ScheduleSpec
{
    /// <summary>Members in the order of answers. Others are not kept.</summary>
    public static readonly IReadOnlyList<string> Members =
    [
        "workflowId", "cron", "cronFormat", "everyMs", "at", "timezone", "payload", "options", "startAt", "endAt", "enabled", "jitterMs",
        "misfirePolicy", "misfireLimit", "overlapPolicy",
    ];

    public required string WorkflowId { get; init; }

    /// <summary>Five fields, or what <c>cronFormat: "extended"</c> allows; null when the schedule is an interval or a single time.</summary>
    public string? Cron { get; init; }

    public bool ExtendedCron { get; init; }

    public TimeSpan? Every { get; init; }

    public DateTimeOffset? At { get; init; }

    public required TimeZoneInfo Zone { get; init; }

    /// <summary>What the runs get as inputs; undefined = nothing.</summary>
    public JsonElement Payload { get; init; }

    /// <summary>Members of the run's request: <c>tags</c>, <c>metadata</c>, <c>configurable</c>; undefined = none.</summary>
    public JsonElement Options { get; init; }

    public DateTimeOffset? StartAt { get; init; }

    public DateTimeOffset? EndAt { get; init; }

    public bool Enabled { get; init; } = true;

    /// <summary>Runs start up to this long after their slots, each schedule by a delay of its own that stays the same.</summary>
    public TimeSpan Jitter { get; init; }

    public MisfirePolicy Misfire { get; init; }

    public int MisfireLimit { get; init; }

    public OverlapPolicy Overlap { get; init; }

    /// <summary>The rules of the schedule, which the reader has found to be valid.</summary>
    /// <param name="createdAt">Intervals without a start count from here.</param>
    public FiringRules Rules(DateTimeOffset createdAt) => new(Timetable(createdAt), StartAt, EndAt, Misfire, MisfireLimit);

    private Timetable Timetable(DateTimeOffset createdAt)
    {
        if (Every is { } every)
            return new Timetable.Interval(every, StartAt ?? createdAt + every);

        if (At is { } at)
            return new Timetable.Once(at);

        var cron = CronSchedule.TryParse(Cron!, ExtendedCron, Zone, out var problem) ?? throw new InvalidOperationException(problem);
        return new Timetable.Cron(cron, ExtendedCron);
    }
}
