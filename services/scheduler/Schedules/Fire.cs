using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace OpenWop.Micro.Scheduler.Schedules;

/// <summary>Where a slot is that was to make a run.</summary>
internal enum FireStatus
{
    /// <summary>It is claimed; whoever finds it makes the run.</summary>
    Pending = 0,

    /// <summary>The run is being made: the question whether it may overlap another one is decided.</summary>
    Starting = 1,

    /// <summary>There is a run.</summary>
    Fired = 2,

    /// <summary>The run was refused, and would be again.</summary>
    Failed = 3,

    /// <summary>The run before was not over.</summary>
    Skipped = 4,
}

/// <summary>One slot of one schedule that was claimed, and what became of it.</summary>
/// <param name="Slot">The time that it is about.</param>
internal sealed record Fire(string Uid, ScheduleOwner Owner, string ScheduleId, DateTimeOffset Slot)
{
    public FireStatus Status { get; init; }

    public string? RunId { get; init; }

    /// <summary>Why there is no run, for people.</summary>
    public string? Error { get; init; }

    /// <summary>How often making the run was tried without an answer.</summary>
    public int Attempts { get; init; }

    /// <summary>When the run was made, or refused.</summary>
    public DateTimeOffset? SettledAt { get; init; }

    /// <summary>Whether a tick has told of it.</summary>
    public bool IsReported { get; init; }

    public bool IsSettled => Status >= FireStatus.Fired;

    /// <summary>The same for every attempt to make the run of this slot, and for nothing else: the engine makes one run of it.</summary>
    public string RequestId => string.Create(CultureInfo.InvariantCulture, $"schedule-{Uid}-{Slot.ToUnixTimeMilliseconds()}");

    /// <summary>The entry of the history.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("slot"u8, Timestamps.Format(Slot));
            writer.WriteString("status"u8, Status switch
            {
                FireStatus.Fired => "fired",
                FireStatus.Failed => "failed",
                FireStatus.Skipped => "skipped",
                _ => "pending",
            });
            if (RunId is not null)
                writer.WriteString("runId"u8, RunId);
            if (Error is not null)
                writer.WriteString("error"u8, Error);
            if (SettledAt is { } at)
                writer.WriteString("firedAt"u8, Timestamps.Format(at));
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
