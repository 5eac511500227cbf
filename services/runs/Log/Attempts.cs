using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

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
    private readonly Dictionary<string, Row> _openItems = new(StringComparer.Ordinal);

    private sealed record Row(long Sequence, string Node, DateTimeOffset StartedAt)
    {
        public string Step { get; set; } = "run";

        public string Status { get; set; } = "running";

        public string? Error { get; set; }

        public DateTimeOffset? FinishedAt { get; set; }

        /// <summary>Of a loop: the run of an item, and which item it is.</summary>
        public (string RunId, ChildItem Item)? Child { get; init; }
    }

    /// <summary>Takes the next event of the log.</summary>
    public void Add(RunEvent @event)
    {
        switch (@event.Body)
        {
            case NodeStarted started when ConnectorSet.BuiltIn.Find(started.TypeId) is not { Kind: "trigger" }:
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
            case ChildStarted { Item: { } item } started:
                var child = new Row(@event.Sequence, started.Node, @event.Timestamp) { Child = (started.ChildRunId, item) };
                _rows.Add(child);
                _openItems[started.ChildRunId] = child;
                break;
            case ChildReported reported when ChildRun.IsTerminal(reported.Status):
                if (_openItems.Remove(reported.ChildRunId, out var ended))
                    End(ended, reported.Status == "cancelled" ? "canceled" : reported.Status, reported.Result?.Error?.Message, @event.Timestamp);
                break;
        }
    }

    /// <summary>Whether an event of a type says anything about attempts.</summary>
    public static bool Concerns(string type) => type.StartsWith("node.", StringComparison.Ordinal) || type == EventTypes.LogAppended;

    /// <summary>The rows after the one that started at a sequence, as JSON, each with its sequence.</summary>
    public List<(long Sequence, ReadOnlyMemory<byte> Json)> After(long sequence, int limit) =>
        [.. _rows.Where(row => row.Sequence > sequence).Take(limit).Select(row => (row.Sequence, Write(row)))];

    private void Close(string node, string status, string? error, DateTimeOffset at)
    {
        if (_open.Remove(node, out var row))
            End(row, status, error, at);

        // Items under way do not outlive their loop.
        foreach (var (runId, item) in _openItems.Where(open => open.Value.Node == node).ToList())
        {
            _openItems.Remove(runId);
            End(item, "canceled", null, at);
        }
    }

    private static void End(Row row, string status, string? error, DateTimeOffset at) => (row.Status, row.Error, row.FinishedAt) = (status, error, at);

    private ReadOnlyMemory<byte> Write(Row row)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, Writing);
        writer.WriteStartObject();
        writer.WriteString("id", EventCodec.EventId(runId, row.Sequence));
        writer.WriteString("blockId", row.Node);
        writer.WriteString("stepName", $"block.{row.Node}.{row.Step}");
        writer.WriteString("kind", row switch
        {
            { Child: not null } => "workflow",
            { Step: "sleep" } => "sleep",
            { Step: "wait" } => "signal-wait",
            _ => "function",
        });
        if (row.Child is var (childRunId, childItem))
        {
            writer.WriteNumber("item", childItem.Index);
            writer.WriteNumber("itemAttempt", childItem.Attempt);
            writer.WriteString("childRunId", childRunId);
        }

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
