using System.Text.Json;

namespace OpenWop.Micro.Client.Triggers;

/// <summary>A workflow that runs when something happens in other runs.</summary>
public sealed record Trigger
{
    /// <summary>Chosen by the server.</summary>
    public string? Id { get; init; }

    /// <summary>The workflow, of which each run takes the newest version.</summary>
    public required string WorkflowId { get; init; }

    /// <summary>What starts it.</summary>
    public required TriggerSource On { get; init; }

    /// <summary>Where each input comes from, see docs/triggers.md; null = <c>{runId, workflowId, type, event}</c>.</summary>
    public JsonElement? Inputs { get; init; }

    /// <summary>Tags of the runs that it starts.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Runs per minute, 1 to 6000; also the most that start at once.</summary>
    public int? RatePerMinute { get; init; }

    /// <summary>Whether events of its own workflow, and of runs that it has led to, count as well.</summary>
    public bool? AllowSelf { get; init; }

    /// <summary><c>active</c> or <c>paused</c>; set by the server.</summary>
    public string? State { get; init; }

    /// <summary>When it was made; set by the server.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>When it was changed last; set by the server.</summary>
    public DateTimeOffset? UpdatedAt { get; init; }
}

/// <summary>What starts a trigger: events of runs, or writes to a channel.</summary>
public sealed record TriggerSource
{
    /// <summary>1 to 32 exact names of types of events; or instead of it <see cref="Channel"/>.</summary>
    public IReadOnlyList<string>? Events { get; init; }

    /// <summary>Writes to the channel of this name.</summary>
    public string? Channel { get; init; }

    /// <summary>Only runs of this workflow.</summary>
    public string? WorkflowId { get; init; }

    /// <summary>Only runs that have one of these tags.</summary>
    public IReadOnlyList<string>? Tags { get; init; }
}

/// <summary>An event for a trigger and what became of it.</summary>
/// <param name="Status"><c>pending</c>, <c>started</c>, <c>failed</c> or <c>skipped</c>.</param>
/// <param name="RunId">The run that it has started.</param>
/// <param name="Reason">Why there is none, for people.</param>
/// <param name="Source">The event: <c>{runId, workflowId, sequence, type}</c>.</param>
/// <param name="Attempts">How often the engine was asked.</param>
/// <param name="SettledAt">When it was decided.</param>
public sealed record TriggerFiring(
    string Id, string Status, string? RunId, string? Reason, JsonElement Source, int Attempts, DateTimeOffset CreatedAt, DateTimeOffset? SettledAt);
