using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Log;

/// <summary>Payload and facts of channel writes (spec/interrupts-state-storage.md 6.3), and channels in stored states.</summary>
internal static class ChannelPayloads
{
    public static void Write(Utf8JsonWriter writer, ChannelWritten write)
    {
        writer.WriteString("channel", write.Channel);
        EventPayloads.Write(writer, "value", write.Sensitive ? Masking.MaskValue : write.Value);
        writer.WriteString("reducer", write.Reducer);
        writer.WriteString("writtenAt", Timestamps.Format(write.WrittenAt));
        EventPayloads.WriteOptional(writer, "nodeId", write.Node);
        writer.WriteNumber("schemaVersion", write.SchemaVersion);
        EventPayloads.WriteOptional(writer, "sourceRunId", write.SourceRunId);
    }

    public static void WriteFacts(Utf8JsonWriter writer, ChannelWritten write)
    {
        writer.WriteBoolean("declared", write.IsDeclared);
        if (write.IsCopy)
            writer.WriteBoolean("copy", true);

        if (write.TtlMs is { } ttl)
            writer.WriteNumber("ttlMs", ttl);

        if (write.MaxSize is { } size)
            writer.WriteNumber("maxSize", size);

        if (write.Sensitive)
            EventPayloads.Write(writer, "value", write.Value);
    }

    public static ChannelWritten Read(JsonElement payload, JsonElement facts) => new(
        EventPayloads.Text(payload, "channel"),
        facts.Member("value") ?? EventPayloads.Required(payload, "value"),
        EventPayloads.Text(payload, "reducer"),
        Timestamps.Parse(EventPayloads.Text(payload, "writtenAt")),
        payload.StringMember("nodeId"))
    {
        SchemaVersion = (int)(payload.IntegerMember("schemaVersion") ?? 1),
        TtlMs = facts.IntegerMember("ttlMs"),
        MaxSize = (int?)facts.IntegerMember("maxSize"),
        IsDeclared = facts.Member("declared") is { ValueKind: JsonValueKind.True },
        IsCopy = facts.Member("copy") is { ValueKind: JsonValueKind.True },
        Sensitive = facts.Member("value") is not null,
        SourceRunId = payload.StringMember("sourceRunId"),
    };

    /// <summary>Writes <c>channels</c> as the fold needs them, for facts and stored states.</summary>
    public static void WriteStates(Utf8JsonWriter writer, ImmutableSortedDictionary<string, ChannelState>? channels)
    {
        if (channels is null)
            return;

        writer.WriteStartObject("channels");
        foreach (var (name, channel) in channels)
        {
            writer.WriteStartObject(name);
            if (channel.Value.IsDefined())
                EventPayloads.Write(writer, "value", channel.Value);

            if (channel.Sensitive)
                writer.WriteBoolean("sensitive", true);

            if (!channel.Versions.IsEmpty)
            {
                writer.WriteStartObject("versions");
                foreach (var (version, sequence) in channel.Versions)
                    writer.WriteNumber(version.ToString(CultureInfo.InvariantCulture), sequence);

                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    public static ImmutableSortedDictionary<string, ChannelState>? ReadStates(JsonElement parent) =>
        parent.Member("channels")?.EnumerateObject().ToImmutableSortedDictionary(
            channel => channel.Name,
            channel => new ChannelState(channel.Value.Member("value") ?? default, channel.Value.Member("sensitive") is not null)
            {
                Versions = channel.Value.Member("versions") is { } versions
                    ? versions.EnumerateObject().ToImmutableSortedDictionary(
                        version => int.Parse(version.Name, CultureInfo.InvariantCulture), version => version.Value.GetInt64())
                    : ImmutableSortedDictionary<int, long>.Empty,
            },
            StringComparer.Ordinal);

    /// <summary>Writes <c>channels</c> as snapshots show them: sensitive ones masked, empty ones left out.</summary>
    public static void WriteSnapshot(Utf8JsonWriter writer, RunState state)
    {
        if (state.Channels is not { } channels)
            return;

        writer.WriteStartObject("channels");
        foreach (var (name, channel) in channels)
        {
            if (channel.Value.IsDefined())
                EventPayloads.Write(writer, name, channel.Sensitive ? Masking.MaskValue : channel.Value);
        }

        writer.WriteEndObject();
    }
}
