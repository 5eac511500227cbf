using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Log;

/// <summary>
/// The history of a fork: the events of its source with new identities. Everything else in the documents stays, byte for byte;
/// facts stay too, except those of the start, which say that the run is a fork and what it does differently.
/// </summary>
internal static class ForkedLog
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <param name="start">What the start of the fork comes to.</param>
    public static EncodedEvent[] Copy(IReadOnlyList<EncodedEvent> history, string sourceRunId, string runId, Func<RunStarted, RunStarted> start)
    {
        var copies = new EncodedEvent[history.Count];
        for (var i = 0; i < copies.Length; i++)
        {
            var facts = EventCodec.Decode(history[i]).Body is RunStarted started ? EventFacts.Write(start(started)) : history[i].Facts;
            copies[i] = history[i] with { Document = WithIdentity(history[i], sourceRunId, runId), Facts = facts };
        }

        return copies;
    }

    private static ReadOnlyMemory<byte> WithIdentity(EncodedEvent @event, string sourceRunId, string runId)
    {
        var buffer = new ArrayBufferWriter<byte>(@event.Document.Length + 16);
        using var writer = new Utf8JsonWriter(buffer, Writing);
        writer.WriteStartObject();
        foreach (var member in JsonElement.Parse(@event.Document.Span, JsonValues.ReadOptions).EnumerateObject())
        {
            writer.WritePropertyName(member.Name);
            switch (member.Name)
            {
                case "eventId":
                    writer.WriteStringValue(EventCodec.EventId(runId, @event.Sequence));
                    break;
                case "runId":
                    writer.WriteStringValue(runId);
                    break;
                case "causationId" when EventCodec.SequenceOf(sourceRunId, member.Value.GetString() ?? "") is { } cause:
                    writer.WriteStringValue(EventCodec.EventId(runId, cause));
                    break;
                case "payload" when @event.Type == EventTypes.OutputChunk:
                    writer.WriteStartObject();
                    writer.WriteString("runId", runId);
                    foreach (var part in member.Value.EnumerateObject().Where(part => part.Name != "runId"))
                        part.WriteTo(writer);
                    writer.WriteEndObject();
                    break;
                default:
                    writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(member.Value), skipInputValidation: true);
                    break;
            }
        }

        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}
