using System.Text.Json;

namespace OpenWop.Micro.Client.Schedules;

/// <summary>A workflow that runs at certain times: those of <see cref="Cron"/>, of <see cref="EveryMs"/>, or at <see cref="At"/>, exactly one of them.</summary>
public sealed record Schedule
{
    /// <summary>1 to 128 characters of <c>A-Z a-z 0-9 - _ .</c>; chosen by the server unless given.</summary>
    public string? Id { get; init; }

    /// <summary>The workflow, of which each run takes the newest version.</summary>
    public required string WorkflowId { get; init; }

    /// <summary>Five fields: minute, hour, day of month, month, day of week.</summary>
    public string? Cron { get; init; }

    /// <summary><c>standard</c> or <c>extended</c> (six fields, <c>@hourly</c> and the like); the server's default is <c>standard</c>.</summary>
    public string? CronFormat { get; init; }

    /// <summary>Every so many milliseconds, from 1000 on.</summary>
    public long? EveryMs { get; init; }

    /// <summary>One time.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>An IANA name; the server's default is UTC.</summary>
    public string? Timezone { get; init; }

    /// <summary>The input of each run.</summary>
    public JsonElement? Payload { get; init; }

    /// <summary><c>tags</c>, <c>metadata</c> and <c>configurable</c> of each run.</summary>
    public JsonElement? Options { get; init; }

    /// <summary>Nothing fires before it.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>Nothing fires after it.</summary>
    public DateTimeOffset? EndAt { get; init; }

    /// <summary>Whether it fires; the server's default is true.</summary>
    public bool? Enabled { get; init; }

    /// <summary>What becomes of times that were missed: <c>skip</c> (the server's default), <c>fire_once</c> or <c>fire_all</c>.</summary>
    public string? MisfirePolicy { get; init; }

    /// <summary>What becomes of a time while the run before is not over: <c>allow</c> (the server's default), <c>skip</c> or <c>cancel_previous</c>.</summary>
    public string? OverlapPolicy { get; init; }

    /// <summary>Milliseconds, up to an hour, by which runs may start later than their times.</summary>
    public long? JitterMs { get; init; }

    /// <summary>When it fires next; set by the server, absent when it never does.</summary>
    public DateTimeOffset? NextRunAt { get; init; }

    /// <summary>When it fired last; set by the server.</summary>
    public DateTimeOffset? LastFiredAt { get; init; }

    /// <summary>The run that it has started last; set by the server.</summary>
    public string? LastRunId { get; init; }
}

/// <summary>One time of a schedule and what became of it.</summary>
/// <param name="Slot">The time.</param>
/// <param name="Status"><c>pending</c>, <c>fired</c>, <c>failed</c> or <c>skipped</c>.</param>
/// <param name="RunId">The run, where there is one.</param>
/// <param name="Error">Why there is none, for people.</param>
/// <param name="FiredAt">When the run was made, or refused.</param>
public sealed record ScheduleFire(DateTimeOffset Slot, string Status, string? RunId, string? Error, DateTimeOffset? FiredAt);
