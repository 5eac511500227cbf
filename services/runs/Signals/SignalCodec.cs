using System.Buffers;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;

namespace OpenWop.Micro.Runs.Signals;

/// <summary>Signals as rows: their kind and a JSON payload.</summary>
internal static class SignalCodec
{
    private const string Cancel = "cancel";
    private const string ChildReport = "child-report";

    public static (string Kind, ReadOnlyMemory<byte> Payload) Encode(RunSignal signal)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        var kind = Write(writer, signal);
        writer.WriteEndObject();
        writer.Flush();
        return (kind, buffer.WrittenMemory);
    }

    public static RunSignal Decode(string target, string source, long sourceSequence, string kind, ReadOnlySpan<byte> payload)
    {
        var root = JsonElement.Parse(payload);
        return kind switch
        {
            Cancel => new RunSignal.Cancel(target, source, sourceSequence, EventPayloads.Text(root, "reason")),
            ChildReport => new RunSignal.ChildReport(
                target,
                source,
                sourceSequence,
                EventPayloads.Text(root, "nodeId"),
                root.GetProperty("iteration").GetInt32(),
                EventPayloads.Text(root, "status"),
                ChildPayloads.ReadResult(root))
            {
                IsFirst = root.Member("first") is not null,
            },
            _ => throw new JsonException($"Unknown kind of signal '{kind}'."),
        };
    }

    private static string Write(Utf8JsonWriter writer, RunSignal signal)
    {
        switch (signal)
        {
            case RunSignal.Cancel cancel:
                writer.WriteString("reason", cancel.Reason);
                return Cancel;
            case RunSignal.ChildReport report:
                writer.WriteString("nodeId", report.Node);
                writer.WriteNumber("iteration", report.Iteration);
                writer.WriteString("status", report.Status);
                if (report.IsFirst)
                    writer.WriteBoolean("first", true);

                ChildPayloads.WriteResult(writer, report.Result);
                return ChildReport;
            default:
                throw new ArgumentOutOfRangeException(nameof(signal));
        }
    }
}
