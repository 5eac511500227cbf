using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Collections;
using OpenWop.Micro.Contracts.Runs.V1;

namespace OpenWop.Micro.Gateway.Runs;

/// <summary>
/// Writes the document of polled events: the union of the published shapes (spec/http-core.md 3.4). Events are copied as the log
/// holds them.
/// </summary>
internal static class EventPageWriter
{
    /// <summary>Room for everything that is not an event.</summary>
    public const int FrameSize = 320;

    public static void WriteStart(IBufferWriter<byte> output, string runId)
    {
        output.Write("{\"runId\":\""u8);
        // Run ids of existing runs are URL-safe; encoding is for good measure.
        output.Write(JsonEncodedText.Encode(runId).EncodedUtf8Bytes);
        output.Write("\",\"events\":["u8);
    }

    /// <param name="first">Whether no event has been written yet; updated.</param>
    public static void WriteEvents(IBufferWriter<byte> output, RepeatedField<ByteString> events, ref bool first)
    {
        foreach (var document in events)
        {
            if (!first)
                output.Write(","u8);
            first = false;
            output.Write(document.Span);
        }
    }

    public static void WriteEnd(IBufferWriter<byte> output, ReadEventsReply last)
    {
        output.Write("],\"lastEventSeq\":"u8);
        WriteNumber(output, last.LastSequence);
        output.Write(",\"runStatus\":\""u8);
        output.Write(JsonEncodedText.Encode(last.Status).EncodedUtf8Bytes);
        output.Write("\",\"isTerminal\":"u8);
        output.Write(last.Terminal ? "true"u8 : "false"u8);
        output.Write(",\"isComplete\":"u8);
        output.Write(last.Complete ? "true"u8 : "false"u8);
        output.Write("}"u8);
    }

    internal static void WriteNumber(IBufferWriter<byte> output, long number)
    {
        var span = output.GetSpan(20);
        Utf8Formatter.TryFormat(number, span, out var written);
        output.Advance(written);
    }
}
