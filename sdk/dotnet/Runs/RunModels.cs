using System.Text.Json;

namespace OpenWop.Micro.Client.Runs;

/// <summary>What a run shall be.</summary>
public sealed record NewRun
{
    /// <summary>The workflow, of which the run takes the newest version and keeps it.</summary>
    public required string WorkflowId { get; init; }

    /// <summary>An object by variable name.</summary>
    public JsonElement? Inputs { get; init; }

    /// <summary>To find runs by.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Options of the run, see <c>configurable</c> of the protocol.</summary>
    public JsonElement? Configurable { get; init; }
}

/// <summary>A run that was made.</summary>
/// <param name="RunId">URL-safe, without colons and slashes.</param>
/// <param name="Status">As in <see cref="RunSnapshot.Status"/>.</param>
/// <param name="EventsUrl">Its events.</param>
public sealed record CreatedRun(string RunId, string Status, Uri? EventsUrl);

/// <summary>The state of a run.</summary>
public sealed record RunSnapshot
{
    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>Its workflow.</summary>
    public required string WorkflowId { get; init; }

    /// <summary>Such as <c>running</c>, <c>waiting-approval</c>, <c>completed</c>.</summary>
    public required string Status { get; init; }

    /// <summary>The node where it is: the first one that waits, else one that works.</summary>
    public string? CurrentNodeId { get; init; }

    /// <summary>When it started.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended, however it did.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>State by node id: <c>{status, attempt, startedAt, endedAt?, outputs?, error?}</c>.</summary>
    public JsonElement? NodeStates { get; init; }

    /// <summary>Values by name.</summary>
    public JsonElement? Variables { get; init; }

    /// <summary>What has come out of it.</summary>
    public JsonElement? Outputs { get; init; }

    /// <summary>Why it failed.</summary>
    public RunError? Error { get; init; }

    /// <summary>Whether nothing will happen any more.</summary>
    public bool IsOver => RunStatuses.IsTerminal(Status);
}

/// <summary>Why a run or an attempt failed.</summary>
/// <param name="Code">From the protocol's table, where there is one.</param>
/// <param name="Message">For people.</param>
public sealed record RunError(string? Code, string? Message);

/// <summary>An event of a run, as it is in the log.</summary>
public sealed record RunEvent
{
    /// <summary>Unique for all runs.</summary>
    public required string EventId { get; init; }

    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>Such as <c>node.completed</c>; types that a client does not know it ignores.</summary>
    public required string Type { get; init; }

    /// <summary>The node that it is about.</summary>
    public string? NodeId { get; init; }

    /// <summary>What the type of event says.</summary>
    public JsonElement Payload { get; init; }

    /// <summary>UTC, to the millisecond.</summary>
    public DateTimeOffset Timestamp { get; init; }

    /// <summary>From 0 without gaps, though a stream may leave out events of no interest to its mode.</summary>
    public long Sequence { get; init; }
}

/// <summary>A run in a list.</summary>
public sealed record RunDescription
{
    /// <summary>The run.</summary>
    public required string Id { get; init; }

    /// <summary>Its workflow.</summary>
    public required string WorkflowId { get; init; }

    /// <summary>The version that it was started with.</summary>
    public int? WorkflowVersion { get; init; }

    /// <summary>pending, running, sleeping, waiting, completed, failed, canceled.</summary>
    public required string State { get; init; }

    /// <summary><c>{"outputs": {…}}</c> by block or node id; absent while there is nothing.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>Why it failed, in a sentence.</summary>
    public string? Error { get; init; }

    /// <summary>When it started.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The tags that it was made with.</summary>
    public IReadOnlyList<string>? Tags { get; init; }
}

/// <summary>An attempt at a block.</summary>
public sealed record RunLogEntry
{
    /// <summary>Unique for all runs.</summary>
    public required string Id { get; init; }

    /// <summary>The block or node.</summary>
    public string? BlockId { get; init; }

    /// <summary><c>block.&lt;id&gt;.run</c>, <c>.sleep</c> or <c>.wait</c>.</summary>
    public required string StepName { get; init; }

    /// <summary>Such as <c>function</c>, <c>sleep</c>, <c>signal-wait</c>.</summary>
    public string? Kind { get; init; }

    /// <summary>Such as <c>running</c>, <c>completed</c>, <c>failed</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Why it failed.</summary>
    public RunError? Error { get; init; }

    /// <summary>When it began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it was over.</summary>
    public DateTimeOffset? FinishedAt { get; init; }
}

/// <summary>Which events a stream delivers.</summary>
public enum StreamMode
{
    /// <summary>Changes of state.</summary>
    Updates,

    /// <summary>Every event of the log.</summary>
    Debug,
}

/// <summary>The names of states.</summary>
public static class RunStatuses
{
    /// <summary>Whether a run in this state is over.</summary>
    public static bool IsTerminal(string status) => status is "completed" or "failed" or "cancelled";
}
