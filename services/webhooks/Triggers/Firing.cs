using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>Where a firing is.</summary>
internal enum FiringStatus
{
    /// <summary>Its run is to be started.</summary>
    Pending = 0,

    /// <summary>There is a run.</summary>
    Started = 1,

    /// <summary>The run was refused, and would be again; or nobody could be reached for a day.</summary>
    Failed = 2,

    /// <summary>There shall be none.</summary>
    Skipped = 3,
}

/// <summary>One event for one trigger, and what became of it.</summary>
/// <param name="Id">The same for the same trigger and event, however often it is made.</param>
internal sealed record Firing(string Id, string TriggerId, string SourceRunId, long Sequence, string EventType, string SourceWorkflowId)
{
    /// <summary>The event, UTF-8 JSON; empty when nobody needs it any more.</summary>
    public byte[] Document { get; init; } = [];

    /// <summary>The triggers that have led to the source, oldest first.</summary>
    public IReadOnlyList<string> Lineage { get; init; } = [];

    public FiringStatus Status { get; init; }

    /// <summary>Why there is no run, for people.</summary>
    public string? Reason { get; init; }

    /// <summary>The run that was started.</summary>
    public string? RunId { get; init; }

    /// <summary>How often starting it was tried.</summary>
    public int Attempts { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? SettledAt { get; init; }

    /// <summary>The engine makes one run of it.</summary>
    public string RequestId => $"trigger-{Id}";

    /// <summary>What the next page goes on after.</summary>
    public string Cursor => string.Create(CultureInfo.InvariantCulture, $"{CreatedAt.ToUnixTimeMilliseconds()}.{Id}");

    public static string NameOf(FiringStatus status) => status switch
    {
        FiringStatus.Started => "started",
        FiringStatus.Failed => "failed",
        FiringStatus.Skipped => "skipped",
        _ => "pending",
    };

    public static string IdOf(string triggerId, string runId, long sequence) => "fir_" + Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{triggerId}\n{runId}\n{sequence}"))).AsSpan(0, 16));

    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(320);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("id"u8, Id);
            writer.WriteString("status"u8, NameOf(Status));
            if (RunId is not null)
                writer.WriteString("runId"u8, RunId);
            if (Reason is not null)
                writer.WriteString("reason"u8, Reason);
            writer.WriteStartObject("source"u8);
            writer.WriteString("runId"u8, SourceRunId);
            writer.WriteString("workflowId"u8, SourceWorkflowId);
            writer.WriteNumber("sequence"u8, Sequence);
            writer.WriteString("type"u8, EventType);
            writer.WriteEndObject();
            writer.WriteNumber("attempts"u8, Attempts);
            writer.WriteString("createdAt"u8, Trigger.Format(CreatedAt));
            if (SettledAt is { } at)
                writer.WriteString("settledAt"u8, Trigger.Format(at));
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
