using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Log;

/// <summary>A run as authors see it: a projection of the fold, like the snapshot.</summary>
internal static class RunDescription
{
    /// <summary>States of runs in the words of the authoring plane.</summary>
    public static readonly IReadOnlyList<string> States = ["pending", "running", "sleeping", "waiting", "completed", "failed", "canceled"];

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string StateOf(RunState state) => state.Status switch
    {
        RunStatus.Pending => "pending",
        RunStatus.Completed => "completed",
        RunStatus.Failed => "failed",
        RunStatus.Cancelled => "canceled",
        RunStatus.Paused => "waiting",
        _ => StateOfRunning(state),
    };

    public static ReadOnlyMemory<byte> Write(string runId, RunState state)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var writer = new Utf8JsonWriter(buffer, Writing);
        writer.WriteStartObject();
        writer.WriteString("id", runId);
        writer.WriteString("workflowId", state.WorkflowId);
        writer.WriteNumber("workflowVersion", state.Options?.DefinitionVersion ?? 0);
        writer.WriteString("state", StateOf(state));
        if (state.Status == RunStatus.Completed)
            WriteOutputs(writer, state);
        if (state is { Status: RunStatus.Failed, Error: { } error })
            writer.WriteString("error", error.Message);
        if (state.Status != RunStatus.Pending)
            writer.WriteString("startedAt", Timestamps.Format(state.StartedAt));
        if (state.EndedAt is { } ended)
            writer.WriteString("endedAt", Timestamps.Format(ended));
        if (state.Options is { Tags.IsEmpty: false } options)
            EventFacts.WriteNames(writer, "tags", options.Tags);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private static string StateOfRunning(RunState state)
    {
        var (waits, sleeps) = (false, false);
        foreach (var node in state.Nodes.Values)
        {
            if (node.Status is NodeStatus.Running or NodeStatus.RetryWait)
                return "running";

            waits |= node.Status == NodeStatus.Suspended;
            sleeps |= node.Status == NodeStatus.Delayed;
        }

        return waits || state.WaitingChild is not null ? "waiting" : sleeps ? "sleeping" : "running";
    }

    private static void WriteOutputs(Utf8JsonWriter writer, RunState state)
    {
        writer.WriteStartObject("output");
        writer.WriteStartObject("outputs");
        foreach (var (nodeId, node) in state.Nodes)
        {
            if (node.Status == NodeStatus.Completed && node.Outputs.IsDefined() && !(nodeId == BlockTypes.PlaceholderId && state.Nodes.Count == 1 && IsEmpty(node.Outputs)))
                EventPayloads.Write(writer, nodeId, node.MaskedOutputs ?? node.Outputs);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static bool IsEmpty(JsonElement outputs) => outputs.ValueKind == JsonValueKind.Object && outputs.GetPropertyCount() == 0;
}
