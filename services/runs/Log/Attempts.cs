using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Log;

/// <summary>
/// The attempts of a run as authors see them: a projection of its log, one row per attempt in the order of their starts. Triggers do
/// nothing, and have none.
/// </summary>
internal sealed class Attempts(string runId)
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<Row> _rows = [];
    private readonly Dictionary<string, Row> _open = new(StringComparer.Ordinal);

    private sealed record Row(long Sequence, string Node, DateTimeOffset StartedAt)
    {
        public string Step { get; set; } = "run";

        public string Status { get; set; } = "running";

        public string? Error { get; set; }

        public DateTimeOffset? FinishedAt { get; set; }
    }

    /// <summary>Takes the next event of the log.</summary>
    public void Add(RunEvent @event)
    {
        switch (@event.Body)
        {
            case NodeStarted started when Connectors.Find(started.TypeId) is not { Kind: "trigger" }:
                var row = new Row(@event.Sequence, started.Node, @event.Timestamp) { Step = started.DelayUntil is null ? "run" : "sleep" };
                _rows.Add(row);
                _open[started.Node] = row;
                break;
            case NodeSuspended suspended when _open.TryGetValue(suspended.Node, out var waiting):
                waiting.Step = "wait";
                break;
            case NodeCompleted completed:
                Close(completed.Node, "completed", null, @event.Timestamp);
                break;
            case NodeFailed failed:
                Close(failed.Node, "failed", failed.Error.Message, @event.Timestamp);
                break;
            case NodeRetried retried:
                Close(retried.Node, "failed", retried.LastError.Message, @event.Timestamp);
                break;
            case NodeCancelled cancelled:
                Close(cancelled.Node, "canceled", null, @event.Timestamp);
                break;
        }
    }

    /// <summary>Whether an event of a type says anything about attempts.</summary>
    public static bool Concerns(string type) => type.StartsWith("node.", StringComparison.Ordinal);

    /// <summary>The rows after the one that started at a sequence, as JSON, each with its sequence.</summary>
    public List<(long Sequence, ReadOnlyMemory<byte> Json)> After(long sequence, int limit) =>
        [.. _rows.Where(row => row.Sequence > sequence).Take(limit).Select(row => (row.Sequence, Write(row)))];

    private void Close(string node, string status, string? error, DateTimeOffset at)
    {
        if (!_open.Remove(node, out var row))
            return;

        (row.Status, row.Error, row.FinishedAt) = (status, error, at);
    }

    private ReadOnlyMemory<byte> Write(Row row)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, Writing);
        writer.WriteStartObject();
        writer.WriteString("id", EventCodec.EventId(runId, row.Sequence));
        writer.WriteString("blockId", row.Node);
        writer.WriteString("stepName", $"block.{row.Node}.{row.Step}");
        writer.WriteString("kind", row.Step switch
        {
            "sleep" => "sleep",
            "wait" => "signal-wait",
            _ => "function",
        });
        writer.WriteString("status", row.Status);
        if (row.Error is not null)
        {
            writer.WriteStartObject("error");
            writer.WriteString("message", row.Error);
            writer.WriteEndObject();
        }

        writer.WriteString("startedAt", Timestamps.Format(row.StartedAt));
        if (row.FinishedAt is { } finished)
            writer.WriteString("finishedAt", Timestamps.Format(finished));
        writer.WriteString("createdAt", Timestamps.Format(row.StartedAt));
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}
