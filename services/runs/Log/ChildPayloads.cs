using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Log;

/// <summary>Children in events, in stored states, in signals and in snapshots.</summary>
internal static class ChildPayloads
{
    public static void Write(Utf8JsonWriter writer, ChildStarted started)
    {
        writer.WriteString("level", "info");
        writer.WriteString("message", $"Child run {started.ChildRunId} of workflow '{started.WorkflowId}' started.");
        writer.WriteString("nodeId", started.Node);
        writer.WriteStartObject("fields");
        writer.WriteString("childRunId", started.ChildRunId);
        writer.WriteString("childWorkflowId", started.WorkflowId);
        if (started.Item is { } item)
        {
            writer.WriteNumber("item", item.Index);
            writer.WriteNumber("itemAttempt", item.Attempt);
        }

        writer.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter writer, ChildAwaited awaited)
    {
        writer.WriteString("level", "debug");
        writer.WriteString("message", $"Waits for child run {awaited.ChildRunId}.");
        writer.WriteString("nodeId", awaited.Node);
        writer.WriteStartObject("fields");
        writer.WriteString("childRunId", awaited.ChildRunId);
        writer.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter writer, ChildReported reported)
    {
        writer.WriteString("level", "info");
        writer.WriteString("message", $"Child run {reported.ChildRunId} is {reported.Status}.");
        writer.WriteString("nodeId", reported.Node);
        writer.WriteStartObject("fields");
        writer.WriteString("childRunId", reported.ChildRunId);
        writer.WriteString("childStatus", reported.Status);
        writer.WriteEndObject();
    }

    public static void WriteFacts(Utf8JsonWriter writer, ChildStarted started)
    {
        writer.WriteStartObject("childStarted");
        writer.WriteString("runId", started.ChildRunId);
        writer.WriteString("workflowId", started.WorkflowId);
        writer.WriteNumber("iteration", started.Iteration);
        writer.WriteBoolean("awaited", started.IsAwaited);
        writer.WriteBoolean("propagates", started.Propagates);
        writer.WriteBoolean("endsWithNode", started.EndsWithNode);
        if (started.Item is { } item)
        {
            writer.WriteNumber("item", item.Index);
            writer.WriteNumber("itemAttempt", item.Attempt);
        }

        writer.WriteEndObject();
    }

    public static void WriteFacts(Utf8JsonWriter writer, ChildAwaited awaited)
    {
        writer.WriteStartObject("childAwaited");
        writer.WriteString("runId", awaited.ChildRunId);
        writer.WriteEndObject();
    }

    public static void WriteFacts(Utf8JsonWriter writer, ChildReported reported)
    {
        writer.WriteStartObject("childReported");
        writer.WriteString("runId", reported.ChildRunId);
        writer.WriteString("status", reported.Status);
        writer.WriteNumber("sequence", reported.ReportSequence);
        WriteResult(writer, reported.Result);
        writer.WriteEndObject();
    }

    /// <summary>The body behind a line of the log that stands for one of ours; null for any other.</summary>
    public static RunEventBody? Read(JsonElement payload, JsonElement facts)
    {
        var nodeId = payload.StringMember("nodeId") ?? "";
        if (facts.Member("childStarted") is { } started)
        {
            var isAwaited = started.GetProperty("awaited").GetBoolean();
            return new ChildStarted(
                nodeId,
                EventPayloads.Text(started, "runId"),
                EventPayloads.Text(started, "workflowId"),
                started.GetProperty("iteration").GetInt32(),
                isAwaited,
                started.GetProperty("propagates").GetBoolean())
            {
                EndsWithNode = started.Member("endsWithNode")?.GetBoolean() ?? isAwaited,
                Item = started.IntegerMember("item") is { } index ? new ChildItem((int)index, (int)(started.IntegerMember("itemAttempt") ?? 1)) : null,
            };
        }

        if (facts.Member("childAwaited") is { } awaited)
            return new ChildAwaited(nodeId, EventPayloads.Text(awaited, "runId"));

        return facts.Member("childReported") is { } reported
            ? new ChildReported(
                nodeId,
                EventPayloads.Text(reported, "runId"),
                EventPayloads.Text(reported, "status"),
                reported.GetProperty("sequence").GetInt64(),
                ReadResult(reported))
            : null;
    }

    public static void WriteParent(Utf8JsonWriter writer, ParentLink? parent)
    {
        if (parent is null)
            return;

        writer.WriteStartObject("parent");
        writer.WriteString("runId", parent.RunId);
        writer.WriteString("nodeId", parent.NodeId);
        writer.WriteString("workflowId", parent.WorkflowId);
        writer.WriteNumber("iteration", parent.Iteration);
        writer.WriteString("rootRunId", parent.RootRunId);
        writer.WriteNumber("depth", parent.Depth);
        EventFacts.WriteNames(writer, "harvest", parent.Harvest);
        writer.WriteEndObject();
    }

    public static ParentLink? ReadParent(JsonElement source) => source.Member("parent") is { } parent
        ? new ParentLink(
            EventPayloads.Text(parent, "runId"),
            EventPayloads.Text(parent, "nodeId"),
            EventPayloads.Text(parent, "workflowId"),
            parent.GetProperty("iteration").GetInt32(),
            EventPayloads.Text(parent, "rootRunId"),
            parent.GetProperty("depth").GetInt32(),
            [.. Names(parent, "harvest")])
        : null;

    /// <summary>Writes <c>children</c> of a stored state.</summary>
    public static void WriteStates(Utf8JsonWriter writer, RunState state)
    {
        if (state.Children.IsEmpty)
            return;

        writer.WriteStartObject("children");
        foreach (var (runId, child) in state.Children)
        {
            writer.WriteStartObject(runId);
            writer.WriteString("nodeId", child.NodeId);
            writer.WriteNumber("iteration", child.Iteration);
            writer.WriteString("workflowId", child.WorkflowId);
            writer.WriteString("status", child.Status);
            writer.WriteBoolean("awaited", child.IsAwaited);
            writer.WriteBoolean("propagates", child.Propagates);
            writer.WriteBoolean("endsWithNode", child.EndsWithNode);
            writer.WriteNumber("startSequence", child.StartSequence);
            writer.WriteNumber("reportSequence", child.ReportSequence);
            WriteResult(writer, child.Result);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    public static ImmutableSortedDictionary<string, ChildRun> ReadStates(JsonElement root) => root.Member("children") is { } children
        ? RunState.NoChildren.AddRange(children.EnumerateObject().Select(child => KeyValuePair.Create(child.Name, ReadState(child.Value))))
        : RunState.NoChildren;

    /// <summary>Lineage and children as snapshots show them.</summary>
    public static void WriteSnapshot(Utf8JsonWriter writer, RunState state)
    {
        if (state.Options?.Parent is { } parent)
        {
            writer.WriteString("parentRunId", parent.RunId);
            writer.WriteString("parentNodeId", parent.NodeId);
            writer.WriteString("parentWorkflowId", parent.WorkflowId);
        }

        if (state.Children.IsEmpty)
            return;

        writer.WriteStartArray("childRuns");
        foreach (var (runId, child) in state.Children.OrderBy(child => child.Value.StartSequence))
        {
            writer.WriteStartObject();
            writer.WriteString("runId", runId);
            writer.WriteString("workflowId", child.WorkflowId);
            writer.WriteString("nodeId", child.NodeId);
            writer.WriteString("status", child.Status);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    public static void WriteResult(Utf8JsonWriter writer, ChildResult? result)
    {
        if (result is null)
            return;

        writer.WriteStartObject("result");
        writer.WriteString("runId", result.RunId);
        writer.WriteString("workflowId", result.WorkflowId);
        writer.WriteString("status", result.Status);
        EventFacts.WriteValues(writer, "variables", result.Variables);
        if (!result.SensitiveVariables.IsEmpty)
            EventFacts.WriteNames(writer, "sensitive", result.SensitiveVariables.Order(StringComparer.Ordinal));

        if (result.Outputs.IsDefined())
            EventPayloads.Write(writer, "outputs", result.Outputs);

        if (result.Error is { } error)
            EventPayloads.WriteError(writer, "error", error);

        writer.WriteEndObject();
    }

    public static ChildResult? ReadResult(JsonElement source) => source.Member("result") is { } result
        ? new ChildResult(EventPayloads.Text(result, "runId"), EventPayloads.Text(result, "workflowId"), EventPayloads.Text(result, "status"))
        {
            Variables = EventPayloads.ReadValues(result.GetProperty("variables")),
            SensitiveVariables = [.. Names(result, "sensitive")],
            Outputs = result.Member("outputs") ?? default,
            Error = result.Member("error") is null ? null : EventPayloads.ReadError(result, "error"),
        }
        : null;

    private static ChildRun ReadState(JsonElement child) => new(
        EventPayloads.Text(child, "nodeId"),
        child.GetProperty("iteration").GetInt32(),
        EventPayloads.Text(child, "workflowId"),
        EventPayloads.Text(child, "status"),
        child.GetProperty("awaited").GetBoolean(),
        child.GetProperty("propagates").GetBoolean(),
        child.GetProperty("startSequence").GetInt64())
    {
        ReportSequence = child.GetProperty("reportSequence").GetInt64(),
        Result = ReadResult(child),
        EndsWithNode = (child.Member("endsWithNode") ?? child.GetProperty("awaited")).GetBoolean(),
    };

    private static IEnumerable<string> Names(JsonElement parent, string name) =>
        parent.Member(name) is { } names ? names.EnumerateArray().Select(item => item.GetString()!) : [];
}
