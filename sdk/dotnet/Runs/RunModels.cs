using System.Text.Json;

namespace OpenWop.Micro.Client.Runs;

/// <summary>What a run shall be.</summary>
public sealed record NewRun
{
    public required string WorkflowId { get; init; }

    /// <summary>An object by variable name.</summary>
    public JsonElement? Inputs { get; init; }

    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Options of the run, see <c>configurable</c> of the protocol.</summary>
    public JsonElement? Configurable { get; init; }
}

/// <summary>A run that was made.</summary>
public sealed record CreatedRun(string RunId, string Status, Uri? EventsUrl);

/// <summary>The state of a run.</summary>
public sealed record RunSnapshot
{
    public required string RunId { get; init; }

    public required string WorkflowId { get; init; }

    /// <summary>Such as <c>running</c>, <c>waiting-approval</c>, <c>completed</c>.</summary>
    public required string Status { get; init; }

    public string? CurrentNodeId { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>State by node id.</summary>
    public JsonElement? NodeStates { get; init; }

    public JsonElement? Variables { get; init; }

    public JsonElement? Outputs { get; init; }

    public RunError? Error { get; init; }

    /// <summary>Whether nothing will happen any more.</summary>
    public bool IsOver => RunStatuses.IsTerminal(Status);
}

/// <summary>Why a run failed.</summary>
public sealed record RunError(string? Code, string? Message);

/// <summary>An event of a run, as it is in the log.</summary>
public sealed record RunEvent
{
    public required string EventId { get; init; }

    public required string RunId { get; init; }

    /// <summary>Such as <c>node.completed</c>.</summary>
    public required string Type { get; init; }

    public string? NodeId { get; init; }

    public JsonElement Payload { get; init; }

    public DateTimeOffset Timestamp { get; init; }

    /// <summary>From 0 without gaps, though a stream may leave out events of no interest to its mode.</summary>
    public long Sequence { get; init; }
}

/// <summary>A run in a list.</summary>
public sealed record RunDescription
{
    public required string Id { get; init; }

    public required string WorkflowId { get; init; }

    public int? WorkflowVersion { get; init; }

    /// <summary>pending, running, sleeping, waiting, completed, failed, canceled.</summary>
    public required string State { get; init; }

    /// <summary><c>{"outputs": {…}}</c> by block or node id; absent while there is nothing.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>Why it failed, in a sentence.</summary>
    public string? Error { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public IReadOnlyList<string>? Tags { get; init; }
}

/// <summary>An attempt at a block.</summary>
public sealed record RunLogEntry
{
    public required string Id { get; init; }

    public string? BlockId { get; init; }

    public required string StepName { get; init; }

    public string? Kind { get; init; }

    public required string Status { get; init; }

    public RunError? Error { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

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
