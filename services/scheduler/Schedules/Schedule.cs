using System.Buffers;
using System.Text.Json;

namespace OpenWop.Micro.Scheduler.Schedules;

/// <summary>Whose: everything belongs to a tenant and to one of its modes.</summary>
internal readonly record struct ScheduleOwner(string Tenant, bool IsTest);

/// <summary>A stored schedule.</summary>
/// <param name="Uid">Given to it once and to no other, also when its id is used again: what the request ids of its runs begin with.</param>
/// <param name="Principal">Who made it; its runs are made in this name.</param>
internal sealed record Schedule(string Uid, ScheduleOwner Owner, string Id, string? Principal, byte[] SpecJson)
{
    /// <summary>Grows with every change, also by firing: who writes expects the one that it has read.</summary>
    public long Revision { get; init; } = 1;

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Every slot up to here is decided on.</summary>
    public required DateTimeOffset SettledUntil { get; init; }

    /// <summary>When the next slot fires; null when none will by itself: paused, over, or its clock was taken over.</summary>
    public DateTimeOffset? NextFireAt { get; init; }

    /// <summary>How long after its slots the schedule fires: its own share of <see cref="ScheduleSpec.Jitter"/>.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>True when a tick with a time of its own has taken the clock over: from then on only ticks move it.</summary>
    public bool IsDriven { get; init; }

    /// <summary>The newest slot that has made a run.</summary>
    public DateTimeOffset? LastSlot { get; init; }

    public DateTimeOffset? LastFiredAt { get; init; }

    public string? LastRunId { get; init; }

    public ScheduleSpec Spec => field ??= ScheduleReader.Read(JsonElement.Parse(SpecJson));

    /// <summary>The part of the schedules that it belongs to: the unit that one scheduler looks after at a time.</summary>
    public int Partition => PartitionOf(Uid);

    public static int PartitionOf(string uid) => Convert.ToInt32(uid[..1], 16);

    /// <summary>The next slot after what is settled, as callers see it; null when there is none, or the schedule is paused.</summary>
    public DateTimeOffset? NextSlot(DateTimeOffset now)
    {
        if (!Spec.Enabled)
            return null;

        var after = IsDriven || SettledUntil > now - Delay ? SettledUntil : now - Delay;
        return Spec.Rules(CreatedAt).Next(after) is { } slot ? slot + Delay : null;
    }

    /// <summary>The schedule as callers see it.</summary>
    public byte[] ToJson(DateTimeOffset now)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer))
            Write(writer, now);

        return buffer.WrittenSpan.ToArray();
    }

    private void Write(Utf8JsonWriter writer, DateTimeOffset now)
    {
        var spec = Spec;
        writer.WriteStartObject();
        writer.WriteString("id"u8, Id);
        foreach (var member in JsonElement.Parse(SpecJson).EnumerateObject())
        {
            if (member.Name is "startAt" or "endAt" or "at")
                continue;

            member.WriteTo(writer);
        }

        WriteMissing(writer, spec);
        WriteTime(writer, "at", spec.At);
        WriteTime(writer, "startAt", spec.StartAt);
        WriteTime(writer, "endAt", spec.EndAt);
        if (NextSlot(now) is { } next)
            writer.WriteString("nextRunAt"u8, Timestamps.Format(next));
        else
            writer.WriteNull("nextRunAt"u8);
        WriteTime(writer, "lastFiredAt", LastFiredAt);
        if (LastRunId is not null)
            writer.WriteString("lastRunId"u8, LastRunId);
        WriteTime(writer, "createdAt", CreatedAt);
        WriteTime(writer, "updatedAt", UpdatedAt);
        writer.WriteEndObject();
    }

    /// <summary>What holds although nobody said so.</summary>
    private void WriteMissing(Utf8JsonWriter writer, ScheduleSpec spec)
    {
        var given = JsonElement.Parse(SpecJson);
        if (!given.TryGetProperty("timezone", out _))
            writer.WriteString("timezone"u8, "UTC");
        if (!given.TryGetProperty("enabled", out _))
            writer.WriteBoolean("enabled"u8, spec.Enabled);
        if (!given.TryGetProperty("misfirePolicy", out _))
            writer.WriteString("misfirePolicy"u8, "skip");
        if (!given.TryGetProperty("overlapPolicy", out _))
            writer.WriteString("overlapPolicy"u8, "allow");
    }

    private static void WriteTime(Utf8JsonWriter writer, string name, DateTimeOffset? time)
    {
        if (time is { } value)
            writer.WriteString(name, Timestamps.Format(value));
    }
}
