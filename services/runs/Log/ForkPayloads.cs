using System.Text.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Log;

/// <summary>What forks add to events, states and snapshots (spec/runs-streams-replay.md 8).</summary>
internal static class ForkPayloads
{
    public static void Write(Utf8JsonWriter writer, ReplayDiverged diverged)
    {
        writer.WriteString("sourceRunId", diverged.SourceRunId);
        writer.WriteNumber("atSequence", diverged.AtSequence);
        EventPayloads.WriteOptional(writer, "originalEventId", diverged.OriginalEventId);
        writer.WriteString("replayEventId", diverged.ReplayEventId);
        writer.WriteString("divergenceKind", diverged.Kind);
        writer.WriteString("divergencePoint", diverged.Point);
    }

    public static ReplayDiverged Read(JsonElement payload) => new(
        EventPayloads.Text(payload, "sourceRunId"),
        payload.GetProperty("atSequence").GetInt64(),
        payload.StringMember("originalEventId"),
        EventPayloads.Text(payload, "replayEventId"),
        EventPayloads.Text(payload, "divergenceKind"),
        EventPayloads.Text(payload, "divergencePoint"));

    public static void WriteOrigin(Utf8JsonWriter writer, RunOrigin? origin)
    {
        if (origin is null)
            return;

        writer.WriteStartObject("origin");
        WriteMembers(writer, origin);
        EventPayloads.WriteOptional(writer, "traceparent", origin.SourceTraceparent);
        writer.WriteEndObject();
    }

    public static RunOrigin? ReadOrigin(JsonElement parent) => parent.Member("origin") is { } origin
        ? new RunOrigin(
            EventPayloads.Text(origin, "sourceRunId"),
            origin.GetProperty("fromSeq").GetInt64(),
            ForkModes.Parse(EventPayloads.Text(origin, "forkMode")))
        {
            SourceTraceparent = origin.StringMember("traceparent"),
        }
        : null;

    /// <summary>The document of a copied start keeps what the source was started with; what a branch laid over it is a fact.</summary>
    public static void WriteOverlay(Utf8JsonWriter writer, RunStarted started)
    {
        if (started.Origin is null)
            return;

        EventFacts.WriteNames(writer, "tags", started.Options.Tags);
        if (started.Options.Metadata.IsDefined())
            EventPayloads.Write(writer, "metadata", started.Options.Metadata);
    }

    public static void WriteSnapshot(Utf8JsonWriter writer, RunState state)
    {
        if (state.Origin is { } origin)
            WriteMembers(writer, origin);
    }

    private static void WriteMembers(Utf8JsonWriter writer, RunOrigin origin)
    {
        writer.WriteString("sourceRunId", origin.SourceRunId);
        writer.WriteNumber("fromSeq", origin.FromSequence);
        writer.WriteString("forkMode", ForkModes.NameOf(origin.Mode));
    }
}
