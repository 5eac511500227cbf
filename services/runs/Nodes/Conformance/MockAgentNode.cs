using System.Globalization;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes.Agents;

namespace OpenWop.Micro.Runs.Nodes.Conformance;

/// <summary>
/// <c>core.conformance.mock-agent</c>: an agent that does what its config says (spec/agents.md 3.1), in this order: reasoning, tool
/// calls, handoff, decision. A decision that it is not sure of waits for a person. Only in workflows of the conformance tests.
/// </summary>
internal sealed class MockAgentNode : INodeHandler
{
    /// <summary>Characters of a summary: 512 tokens of about four.</summary>
    private const int MaxSummaryLength = 512 * 4;

    public string TypeId => "core.conformance.mock-agent";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken) =>
        ValueTask.FromResult(TestWorkflows.Includes(context.WorkflowId) ? Act(context) : TestWorkflows.Refusal(context));

    private static NodeOutcome Act(NodeContext context)
    {
        var config = context.Node.Config;
        var agentId = config.StringMember("agentId") ?? context.Node.Agent?.StringMember("agentId") ?? $"host:mock-agent:{context.Node.Id}";
        var key = context.InterruptKey(0);
        if (context.Resolved.TryGetValue(key, out var ratified))
            return Completed(ratified.ValueKind == JsonValueKind.Object && ratified.Member("decision") is { } other ? other : ratified);

        if (CheckToolCalls(config) is { } problem)
            return new NodeOutcome.Failed(new NodeError(NodeParameters.InvalidCode, problem));

        Reason(context, config, agentId);
        CallTools(context, config, agentId);
        HandOff(context, config, agentId);
        var confidence = Confidence.Read(config.Member("mockDecision") is { } mock ? mock.Member("confidence") : config.Member("mockConfidence"));
        var decision = config.Member("mockDecision")?.Member("decision");
        if (decision is null && confidence is null)
            return new NodeOutcome.Completed(NodeJson.EmptyObject);

        var decided = decision ?? NodeJson.Object(writer => writer.WriteString("kind", "mock"));
        Emit(context, EventTypes.AgentDecided, agentId, writer =>
        {
            Write(writer, "decision", decided);
            if (confidence is { } value)
                writer.WriteNumber("confidence", value);

            Copy(writer, config.Member("mockDecision"), "reasoning");
        });
        return confidence < Confidence.ThresholdOf(context) ? Confidence.Hold(context, key, agentId, confidence.Value, decided) : Completed(decided);
    }

    private static void Reason(NodeContext context, JsonElement config, string agentId)
    {
        var verbosity = context.Configurable.StringMember("reasoningVerbosity") is ("full" or "off") and var asked ? asked : "summary";
        if (verbosity == "off" || config.Member("mockReasoning") is not { ValueKind: JsonValueKind.True or JsonValueKind.Object } reasoning)
            return;

        var summary = reasoning.StringMember("summary") ?? "Thought about it.";
        var text = verbosity == "full" ? reasoning.StringMember("trace") ?? summary : summary[..Math.Min(summary.Length, MaxSummaryLength)];
        if (reasoning.Member("streamChunks") is { ValueKind: JsonValueKind.Array } chunks)
        {
            var whole = new StringBuilder();
            foreach (var (index, chunk) in chunks.EnumerateArray().Index())
            {
                whole.Append(chunk.GetString());
                Emit(context, EventTypes.AgentReasoningDelta, agentId, writer =>
                {
                    writer.WriteString("delta", chunk.GetString());
                    writer.WriteNumber("sequence", index);
                });
            }

            text = whole.ToString();
        }

        Emit(context, EventTypes.AgentReasoned, agentId, writer =>
        {
            writer.WriteString("reasoning", text);
            writer.WriteString("verbosity", verbosity);
            Copy(writer, reasoning, "tokenCount");
        });
    }

    private static string? CheckToolCalls(JsonElement config)
    {
        foreach (var call in ToolCalls(config))
        {
            if (string.IsNullOrEmpty(call.StringMember("toolId")) || (call.Member("result") is null) == (call.Member("error") is null))
                return "Each of 'mockToolCalls' must have a 'toolId' and either a 'result' or an 'error'.";
        }

        return null;
    }

    private static void CallTools(NodeContext context, JsonElement config, string agentId)
    {
        foreach (var (index, call) in ToolCalls(config).Index())
        {
            var callId = string.Create(CultureInfo.InvariantCulture, $"call-{context.Node.Id}-{context.Iteration}-{context.Attempt}-{index}");
            var called = Emit(context, EventTypes.AgentToolCalled, agentId, writer =>
            {
                writer.WriteString("toolName", call.StringMember("toolId"));
                writer.WriteString("callId", callId);
                if (call.Member("arguments") is { } arguments)
                    Write(writer, "inputs", arguments);
            });
            Emit(
                context,
                EventTypes.AgentToolReturned,
                agentId,
                writer =>
                {
                    writer.WriteString("toolName", call.StringMember("toolId"));
                    writer.WriteString("callId", callId);
                    writer.WriteString("status", call.Member("error") is null ? "ok" : "error");
                    if (call.Member("result") is { } result)
                        Write(writer, "outcome", result);
                    else
                        WriteError(writer, call.GetProperty("error"));

                    Copy(writer, call, "durationMs");
                },
                called);
        }
    }

    private static void HandOff(NodeContext context, JsonElement config, string agentId)
    {
        if (config.Member("mockHandoff") is not { } handoff || handoff.StringMember("toAgentId") is not { } target)
            return;

        Emit(context, EventTypes.AgentHandoff, agentId: null, writer =>
        {
            writer.WriteString("fromAgentId", agentId);
            writer.WriteString("toAgentId", target);
            Copy(writer, handoff, "reason");
            Copy(writer, handoff, "context");

            // Readers of the whole family look for the member that all its other types have.
            writer.WriteString("agentId", agentId);
        });
    }

    private static JsonElement.ArrayEnumerator ToolCalls(JsonElement config) =>
        config.Member("mockToolCalls") is { ValueKind: JsonValueKind.Array } calls ? calls.EnumerateArray() : default;

    private static NodeOutcome.Completed Completed(JsonElement decision) => new(NodeJson.Object(writer => Write(writer, "decision", decision)));

    private static int Emit(NodeContext context, string type, string? agentId, Action<Utf8JsonWriter> write, int? causedBy = null) =>
        context.Emit(new NodeEvent(type, NodeJson.Object(writer =>
        {
            if (agentId is not null)
                writer.WriteString("agentId", agentId);

            write(writer);
        }))
        {
            CausedBy = causedBy,
        });

    /// <summary>The envelope of the config as the error of an event, which has <c>code</c> where the envelope has <c>error</c>.</summary>
    private static void WriteError(Utf8JsonWriter writer, JsonElement error)
    {
        writer.WriteStartObject("error");
        writer.WriteString("code", error.StringMember("code") ?? error.StringMember("error") ?? "tool_failed");
        writer.WriteString("message", error.StringMember("message") ?? "The tool failed.");
        Copy(writer, error, "details");
        writer.WriteEndObject();
    }

    private static void Copy(Utf8JsonWriter writer, JsonElement? source, string name)
    {
        if (source?.Member(name) is { } value)
            Write(writer, name, value);
    }

    private static void Write(Utf8JsonWriter writer, string name, JsonElement value)
    {
        writer.WritePropertyName(name);
        value.WriteTo(writer);
    }
}
