using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Log;

/// <summary>
/// The snapshot document of a run (spec/runs-streams-replay.md 2): a projection of the fold, with sensitive values masked.
/// Beyond the published schema, which is open, it shows <c>inputs</c>, <c>outputs</c> and <c>endedAt</c>.
/// </summary>
internal static class RunSnapshot
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Wire name of a status.</summary>
    public static string StatusOf(RunState state) => state.Status switch
    {
        RunStatus.Pending => "pending",
        RunStatus.Running => state.WaitingFor is { } waiting ? InterruptKinds.WaitingStatus(waiting.Interrupt.Request.Kind) : state.WaitingChild?.Child.Status ?? "running",
        RunStatus.Paused => "paused",
        RunStatus.Completed => "completed",
        RunStatus.Failed => "failed",
        RunStatus.Cancelled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    /// <param name="interruptToken">Shown as <c>interrupt.interruptToken</c>; null = hidden.</param>
    /// <param name="baseUrl">What <c>interrupt.callbackUrl</c> starts with; empty = it is not shown.</param>
    public static ReadOnlyMemory<byte> Write(string runId, RunState state, string? interruptToken = null, string baseUrl = "")
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var writer = new Utf8JsonWriter(buffer, Writing);
        writer.WriteStartObject();
        writer.WriteString("runId", runId);
        writer.WriteString("workflowId", state.WorkflowId);
        writer.WriteString("status", StatusOf(state));
        if ((state.WaitingFor?.NodeId ?? state.WaitingChild?.NodeId) is { } current)
            writer.WriteString("currentNodeId", current);

        if (interruptToken is not null)
        {
            writer.WriteStartObject("interrupt");
            writer.WriteString("interruptToken", interruptToken);
            if (baseUrl.Length > 0)
                writer.WriteString("callbackUrl", Interrupts.InterruptCallback.UrlOf(baseUrl, interruptToken));

            writer.WriteEndObject();
        }

        WriteOptions(writer, state);
        ForkPayloads.WriteSnapshot(writer, state);
        WriteTimes(writer, state);
        if (state.Agent is { } agent)
        {
            EventPayloads.Write(writer, "agent", agent);
        }

        if (state.Orchestration is { } orchestration)
        {
            writer.WriteStartObject("runOrchestrator");
            writer.WriteString("agentId", orchestration.AgentId);
            writer.WriteEndObject();
        }

        ChildPayloads.WriteSnapshot(writer, state);
        ArtifactPayloads.WriteSnapshot(writer, state);
        writer.WritePropertyName("inputs");
        Masking.WriteValues(writer, state.Inputs, state.SensitiveVariables);
        WriteVariables(writer, state);
        ChannelPayloads.WriteSnapshot(writer, state);
        WriteNodes(writer, state);
        if (state.Outputs.IsDefined())
        {
            EventPayloads.Write(writer, "outputs", state.Outputs);
        }

        if (state is { Status: RunStatus.Failed, Error: { } error })
        {
            writer.WriteStartObject("error");
            writer.WriteString("code", error.Code);
            writer.WriteString("message", error.Message);
            if (error.Details is { } details)
            {
                EventPayloads.Write(writer, "details", details);
            }

            writer.WriteEndObject();
        }

        if (state.Cost is { } cost)
        {
            writer.WriteStartObject("metrics");
            cost.Write(writer);
            writer.WriteEndObject();
        }

        writer.WriteNumber("eventLogSchemaVersion", 2);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private static void WriteOptions(Utf8JsonWriter writer, RunState state)
    {
        if (state.Options is not { } options)
        {
            return;
        }

        writer.WriteStartObject("owner");
        writer.WriteString("tenant", options.Tenant);
        EventPayloads.WriteOptional(writer, "principal", options.Principal);
        writer.WriteEndObject();
        if (!options.Tags.IsEmpty)
        {
            EventFacts.WriteNames(writer, "tags", options.Tags);
        }

        if (options.Metadata.IsDefined())
        {
            EventPayloads.Write(writer, "metadata", options.Metadata);
        }

        if (options.Configurable.IsDefined())
        {
            EventPayloads.Write(writer, "configurable", options.Configurable);
        }
    }

    private static void WriteTimes(Utf8JsonWriter writer, RunState state)
    {
        if (state.Status != RunStatus.Pending)
        {
            writer.WriteString("startedAt", Timestamps.Format(state.StartedAt));
        }

        if (state.EndedAt is { } ended)
        {
            // The schema knows completedAt; part of the public suite reads endedAt.
            writer.WriteString("completedAt", Timestamps.Format(ended));
            writer.WriteString("endedAt", Timestamps.Format(ended));
        }
    }

    private static void WriteVariables(Utf8JsonWriter writer, RunState state)
    {
        writer.WriteStartObject("variables");
        foreach (var (name, value) in state.Variables)
        {
            EventPayloads.Write(writer, name, state.SensitiveVariables.Contains(name) ? Masking.MaskValue : value);
        }

        writer.WriteEndObject();
    }

    private static void WriteNodes(Utf8JsonWriter writer, RunState state)
    {
        writer.WriteStartObject("nodeStates");
        foreach (var (nodeId, node) in state.Nodes)
        {
            writer.WriteStartObject(nodeId);
            writer.WriteString("status", StatusOf(node));
            writer.WriteNumber("attempt", node.Attempt);
            if (node.Iteration > 0)
            {
                writer.WriteNumber("iteration", node.Iteration);
            }

            if (node.StartedAt != default)
            {
                writer.WriteString("startedAt", Timestamps.Format(node.StartedAt));
            }

            if (node.EndedAt is { } ended)
            {
                writer.WriteString("endedAt", Timestamps.Format(ended));
            }

            if (node.DueAt is { } due)
            {
                writer.WriteString("dueAt", Timestamps.Format(due));
            }

            if (!node.ChildRuns.IsEmpty)
            {
                writer.WriteString("childRunId", node.ChildRuns[^1]);
            }

            if (node.Status == NodeStatus.Completed && node.Outputs.IsDefined())
            {
                EventPayloads.Write(writer, "outputs", node.MaskedOutputs ?? node.Outputs);
            }

            if (node.Error is { } error)
            {
                EventPayloads.WriteError(writer, "error", error);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static string StatusOf(NodeState node) => node.Status switch
    {
        NodeStatus.Running => "running",
        NodeStatus.Delayed or NodeStatus.WaitingForChild => "waiting",
        NodeStatus.RetryWait => "retrying",
        NodeStatus.Suspended => "suspended",
        NodeStatus.Completed => "completed",
        NodeStatus.Failed => "failed",
        NodeStatus.Skipped => "skipped",
        NodeStatus.Cancelled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(node)),
    };
}
