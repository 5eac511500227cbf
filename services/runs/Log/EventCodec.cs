using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Log;

/// <summary>An event as it is stored.</summary>
/// <param name="Document">The wire document <c>RunEventDoc</c> as UTF-8 JSON; exactly what streams and polls send.</param>
/// <param name="Facts">What only the fold needs (unmasked values, due times, limits); empty when the document says it all.</param>
internal sealed record EncodedEvent(long Sequence, string Type, ReadOnlyMemory<byte> Document, ReadOnlyMemory<byte> Facts);

/// <summary>
/// Typed events to stored ones and back (spec/runs-streams-replay.md 3.1). Names of wire members stand here and in
/// <see cref="EventTypes"/> only, which is the seam for another major version of the protocol.
/// </summary>
internal static class EventCodec
{
    private static readonly string[] VersionTexts = [.. Enumerable.Range(EngineVersions.Oldest, EngineVersions.Current - EngineVersions.Oldest + 1).Select(version => version.ToString(CultureInfo.InvariantCulture))];

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Identity of an event: unique because run ids are, and a cursor by itself.</summary>
    public static string EventId(string runId, long sequence) => string.Create(CultureInfo.InvariantCulture, $"evt-{runId}-{sequence}");

    /// <summary>Sequence of an event id of this run; null for anything else.</summary>
    public static long? SequenceOf(string runId, string eventId)
    {
        var prefix = $"evt-{runId}-";
        return eventId.StartsWith(prefix, StringComparison.Ordinal)
            && long.TryParse(eventId.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            ? sequence
            : null;
    }

    /// <summary>An engine version as events have it: decimal text.</summary>
    public static string VersionText(int version) =>
        EngineVersions.IsSupported(version) ? VersionTexts[version - EngineVersions.Oldest] : version.ToString(CultureInfo.InvariantCulture);

    public static EncodedEvent Encode(string runId, RunEvent @event, int engineVersion = EngineVersions.Current)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var writer = new Utf8JsonWriter(buffer, Writing);
        var type = TypeOf(@event.Body);
        writer.WriteStartObject();
        writer.WriteString("eventId", EventId(runId, @event.Sequence));
        writer.WriteString("runId", runId);
        writer.WriteString("type", type);
        if (@event.Body.NodeId is { } nodeId)
        {
            writer.WriteString("nodeId", nodeId);
        }

        writer.WriteStartObject("payload");
        if (@event.Body is OutputChunk)
            writer.WriteString("runId", runId); // Readers of several streams have nothing but the payload.

        EventPayloads.Write(writer, @event.Body);
        writer.WriteEndObject();
        writer.WriteString("timestamp", Timestamps.Format(@event.Timestamp));
        writer.WriteNumber("sequence", @event.Sequence);
        writer.WriteNumber("schemaVersion", 1);
        writer.WriteString("engineVersion", VersionText(engineVersion));
        if (@event.CauseSequence is { } cause)
        {
            writer.WriteString("causationId", EventId(runId, cause));
        }
        else if (@event.Body is RunStarted { Options.CausationId: { } delivery })
        {
            writer.WriteString("causationId", delivery);
        }

        writer.WriteEndObject();
        writer.Flush();
        return new EncodedEvent(@event.Sequence, type, buffer.WrittenMemory, EventFacts.Write(@event.Body, @event.Request));
    }

    public static RunEvent Decode(EncodedEvent stored)
    {
        var root = JsonElement.Parse(stored.Document.Span, JsonValues.ReadOptions);
        var facts = stored.Facts.IsEmpty ? JsonValues.EmptyObject : JsonElement.Parse(stored.Facts.Span, JsonValues.ReadOptions);
        return new RunEvent(
            stored.Sequence,
            Timestamps.Parse(root.GetProperty("timestamp").GetString()!),
            EventPayloads.Read(stored.Type, root, facts),
            root.StringMember("causationId") is { } cause ? SequenceOf(EventPayloads.Text(root, "runId"), cause) : null)
        {
            Request = EventFacts.ReadRequest(facts),
        };
    }

    internal static string TypeOf(RunEventBody body) => body switch
    {
        RunStarted => EventTypes.RunStarted,
        RunCompleted => EventTypes.RunCompleted,
        RunFailed => EventTypes.RunFailed,
        RunCancelled => EventTypes.RunCancelled,
        NodeStarted => EventTypes.NodeStarted,
        NodeCompleted => EventTypes.NodeCompleted,
        NodeFailed => EventTypes.NodeFailed,
        NodeRetried => EventTypes.NodeRetried,
        NodeSkipped => EventTypes.NodeSkipped,
        NodeCancelled => EventTypes.NodeCancelled,
        VariableChanged => EventTypes.VariableChanged,
        LogAppended => EventTypes.LogAppended,
        ChannelWritten => EventTypes.ChannelWritten,
        OrchestratorDecided => EventTypes.OrchestratorDecided,
        NodeEmitted emitted => emitted.Type,
        OutputChunk => EventTypes.OutputChunk,
        ArtifactCreated => EventTypes.ArtifactCreated,
        ChildStarted or ChildAwaited or ChildReported => EventTypes.LogAppended,
        CapBreached => EventTypes.CapBreached,
        LoopbackLimit => EventTypes.LoopbackLimit,
        ReplayDiverged => EventTypes.ReplayDiverged,
        UnknownEvent unknown => unknown.Type,
        _ => InterruptPayloads.TypeOf(body) ?? throw new ArgumentOutOfRangeException(nameof(body), body.GetType().Name, "No event type for this body."),
    };
}
