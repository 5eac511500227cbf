using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Protocol.Runs;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Log;

/// <summary>The members of each payload, written and read side by side (spec/runs-streams-replay.md 3.2).</summary>
internal static class EventPayloads
{
    public static void Write(Utf8JsonWriter writer, RunEventBody body)
    {
        switch (body)
        {
            case RunStarted started:
                WriteRunStarted(writer, started);
                break;
            case RunCompleted completed:
                Write(writer, "outputs", completed.Outputs);
                writer.WriteNumber("durationMs", completed.DurationMs);
                break;
            case RunFailed failed:
                WriteError(writer, "error", failed.Error);
                WriteOptional(writer, "failedNodeId", failed.FailedNodeId);
                writer.WriteNumber("durationMs", failed.DurationMs);
                break;
            case RunCancelled cancelled:
                WriteOptional(writer, "reason", cancelled.Reason);
                WriteOptional(writer, "cancelledBy", cancelled.CancelledBy);
                WriteOptional(writer, "parentRunId", cancelled.ParentRunId);
                writer.WriteNumber("durationMs", cancelled.DurationMs);
                break;
            case NodeStarted started:
                writer.WriteString("nodeId", started.Node);
                writer.WriteString("typeId", started.TypeId);
                writer.WriteNumber("attempt", started.Attempt);
                if (started.Agent is { } agent)
                {
                    Write(writer, "agent", agent);
                }

                break;
            case NodeCompleted completed:
                writer.WriteString("nodeId", completed.Node);
                Write(writer, "outputs", completed.MaskedOutputs ?? completed.Outputs);
                writer.WriteNumber("durationMs", completed.DurationMs);
                break;
            case NodeFailed failed:
                writer.WriteString("nodeId", failed.Node);
                WriteError(writer, "error", failed.Error);
                writer.WriteNumber("attempts", failed.Attempts);
                break;
            case NodeRetried retried:
                writer.WriteString("nodeId", retried.Node);
                writer.WriteNumber("attempt", retried.Attempt);
                writer.WriteNumber("delayMs", retried.DelayMs);
                WriteError(writer, "lastError", retried.LastError);
                break;
            case NodeSkipped skipped:
                writer.WriteString("nodeId", skipped.Node);
                writer.WriteString("reason", skipped.Reason);
                break;
            case NodeCancelled cancelled:
                writer.WriteString("nodeId", cancelled.Node);
                writer.WriteString("reason", cancelled.Reason);
                break;
            case VariableChanged changed:
                writer.WriteString("name", changed.Name);
                if (changed.Previous is { } previous)
                {
                    Write(writer, "previous", changed.Sensitive ? Masking.MaskValue : previous);
                }

                Write(writer, "next", changed.Sensitive ? Masking.MaskValue : changed.Value);
                WriteOptional(writer, "nodeId", changed.Node);
                break;
            case LogAppended line:
                writer.WriteString("level", line.Level);
                writer.WriteString("message", line.Message);
                WriteOptional(writer, "nodeId", line.Node);
                if (line.Fields is { } fields)
                {
                    Write(writer, "fields", fields);
                }

                break;
            case OrchestratorDecided decided:
                writer.WriteString("agentId", decided.AgentId);
                Write(writer, "decision", decided.Decision);
                break;
            case NodeEmitted emitted:
                foreach (var member in emitted.Payload.EnumerateObject())
                    member.WriteTo(writer);

                break;
            case OutputChunk chunk:
                writer.WriteString("nodeId", chunk.Node);
                writer.WriteString("chunk", chunk.Chunk);
                writer.WriteBoolean("isLast", chunk.IsLast);
                if (chunk.Meta is { } meta)
                    Write(writer, "meta", meta);

                break;
            case ChildStarted started:
                ChildPayloads.Write(writer, started);
                break;
            case ChildAwaited awaited:
                ChildPayloads.Write(writer, awaited);
                break;
            case ChildReported reported:
                ChildPayloads.Write(writer, reported);
                break;
            case ArtifactCreated created:
                ArtifactPayloads.Write(writer, created);
                break;
            case ChannelWritten written:
                ChannelPayloads.Write(writer, written);
                break;
            case CapBreached breached:
                writer.WriteString("kind", breached.Kind);
                writer.WriteNumber("limit", breached.Limit);
                writer.WriteNumber("observed", breached.Observed);
                WriteOptional(writer, "nodeId", breached.Node);
                break;
            case LoopbackLimit limit:
                writer.WriteString("nodeId", limit.Node);
                writer.WriteNumber("iterations", limit.Iterations);
                writer.WriteNumber("limit", limit.Limit);
                break;
            case ReplayDiverged diverged:
                ForkPayloads.Write(writer, diverged);
                break;
            default:
                if (!InterruptPayloads.TryWrite(writer, body))
                    throw new ArgumentOutOfRangeException(nameof(body), body.GetType().Name, "No payload for this body.");

                break;
        }
    }

    public static RunEventBody Read(string type, JsonElement document, JsonElement facts)
    {
        var payload = document.GetProperty("payload");
        return type switch
        {
            EventTypes.RunStarted => ReadRunStarted(Text(document, "runId"), payload, facts),
            EventTypes.RunCompleted => new RunCompleted(Required(payload, "outputs"), payload.IntegerMember("durationMs") ?? 0),
            EventTypes.RunFailed => new RunFailed(ReadError(payload, "error"), payload.StringMember("failedNodeId"), payload.IntegerMember("durationMs") ?? 0),
            EventTypes.RunCancelled => new RunCancelled(payload.StringMember("reason"), payload.StringMember("cancelledBy"), payload.IntegerMember("durationMs") ?? 0)
            {
                ParentRunId = payload.StringMember("parentRunId"),
            },
            EventTypes.NodeStarted => ReadNodeStarted(payload, facts),
            EventTypes.NodeCompleted => ReadNodeCompleted(payload, facts),
            EventTypes.NodeFailed => new NodeFailed(Text(payload, "nodeId"), ReadError(payload, "error"), (int)(payload.IntegerMember("attempts") ?? 1))
            {
                Cost = Cost.Read(facts),
            },
            EventTypes.NodeRetried => new NodeRetried(
                Text(payload, "nodeId"),
                (int)(payload.IntegerMember("attempt") ?? 1),
                payload.IntegerMember("delayMs") ?? 0,
                ReadError(payload, "lastError"),
                Timestamps.Parse(Text(facts, "dueAt")))
            {
                Cost = Cost.Read(facts),
            },
            EventTypes.NodeSkipped => new NodeSkipped(Text(payload, "nodeId"), payload.StringMember("reason") ?? ""),
            EventTypes.NodeCancelled => new NodeCancelled(Text(payload, "nodeId"), payload.StringMember("reason") ?? ""),
            EventTypes.VariableChanged => new VariableChanged(
                Text(payload, "name"),
                facts.Member("next") ?? Required(payload, "next"),
                payload.Member("previous"),
                payload.StringMember("nodeId"),
                facts.Member("next") is not null),
            EventTypes.LogAppended when facts.StringMember("pause") is { } policy => new PauseRequested(facts.StringMember("reason"), policy),
            EventTypes.LogAppended when ChildPayloads.Read(payload, facts) is { } child => child,
            EventTypes.LogAppended => new LogAppended(Text(payload, "level"), Text(payload, "message"), payload.Member("fields"), payload.StringMember("nodeId")),
            _ when AgentEvents.IsEmitted(type) => new NodeEmitted(Text(document, "nodeId"), type, payload),
            EventTypes.OutputChunk => new OutputChunk(
                Text(payload, "nodeId"), Text(payload, "chunk"), payload.Member("isLast") is { ValueKind: JsonValueKind.True }, payload.Member("meta")),
            EventTypes.OrchestratorDecided => new OrchestratorDecided(Text(document, "nodeId"), Text(payload, "agentId"), Required(payload, "decision")),
            EventTypes.ArtifactCreated when facts.Member("data") is not null => ArtifactPayloads.Read(document, payload, facts),
            EventTypes.ChannelWritten => ChannelPayloads.Read(payload, facts),
            EventTypes.CapBreached => new CapBreached(
                Text(payload, "kind"), payload.IntegerMember("limit") ?? 0, payload.IntegerMember("observed") ?? 0, payload.StringMember("nodeId")),
            EventTypes.LoopbackLimit => new LoopbackLimit(
                Text(payload, "nodeId"), (int)(payload.IntegerMember("iterations") ?? 0), (int)(payload.IntegerMember("limit") ?? 0)),
            EventTypes.ReplayDiverged => ForkPayloads.Read(payload),
            _ => InterruptPayloads.Read(type, document, payload, facts) ?? Unfolded(type, document, payload),
        };
    }

    /// <summary>Events of nodes are kept whole, so that a replay can repeat them.</summary>
    private static RunEventBody Unfolded(string type, JsonElement document, JsonElement payload) =>
        document.StringMember("nodeId") is { } node ? new NodeEmitted(node, type, payload) : new UnknownEvent(type, null);

    internal static void Write(Utf8JsonWriter writer, string name, JsonElement value)
    {
        writer.WritePropertyName(name);
        (value.IsDefined() ? value : JsonValues.EmptyObject).WriteTo(writer);
    }

    internal static void WriteOptional(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }

    internal static void WriteError(Utf8JsonWriter writer, string name, NodeError error)
    {
        writer.WriteStartObject(name);
        writer.WriteString("code", error.Code);
        writer.WriteString("message", error.Message);
        if (error.Details is { } details)
        {
            Write(writer, "details", details);
        }

        writer.WriteBoolean("retryable", error.Retryable);
        writer.WriteEndObject();
    }

    internal static NodeError ReadError(JsonElement parent, string name)
    {
        var error = Required(parent, name);
        return new NodeError(Text(error, "code"), Text(error, "message"), error.Member("retryable") is { ValueKind: JsonValueKind.True }, error.Member("details"));
    }

    internal static string Text(JsonElement parent, string name) =>
        parent.StringMember(name) ?? throw new JsonException($"Stored event lacks '{name}'.");

    internal static JsonElement Required(JsonElement parent, string name) =>
        parent.Member(name) ?? throw new JsonException($"Stored event lacks '{name}'.");

    private static void WriteRunStarted(Utf8JsonWriter writer, RunStarted started)
    {
        writer.WriteString("workflowId", started.WorkflowId);
        // Inputs are facts: whatever a caller pastes into them, secrets included, stays out of the document that every reader gets.
        writer.WriteString("transport", started.Options.Transport);
        writer.WriteString("engineVersion", EventCodec.VersionText(started.Options.EngineVersion));
        writer.WriteStartObject("owner");
        writer.WriteString("tenant", started.Options.Tenant);
        WriteOptional(writer, "principal", started.Options.Principal);
        writer.WriteEndObject();
        if (started.Options.Parent is { } parent)
        {
            writer.WriteString("parentRunId", parent.RunId);
            writer.WriteString("parentNodeId", parent.NodeId);
        }

        if (!started.Options.Tags.IsEmpty)
        {
            writer.WriteStartArray("tags");
            foreach (var tag in started.Options.Tags)
            {
                writer.WriteStringValue(tag);
            }

            writer.WriteEndArray();
        }

        if (started.Options.Metadata.IsDefined())
        {
            Write(writer, "metadata", started.Options.Metadata);
        }
    }

    private static RunStarted ReadRunStarted(string runId, JsonElement payload, JsonElement facts)
    {
        var owner = Required(payload, "owner");
        var sensitive = facts.Member("sensitive") is { } names ? names.EnumerateArray().Select(name => name.GetString()!).ToImmutableHashSet(StringComparer.Ordinal) : [];
        return new RunStarted
        {
            RunId = runId,
            WorkflowId = Text(payload, "workflowId"),
            Inputs = facts.Member("inputs") ?? payload.Member("inputs") ?? JsonValues.EmptyObject,
            Variables = ReadValues(Required(facts, "variables")),
            Channels = ChannelPayloads.ReadStates(facts),
            SensitiveVariables = sensitive,
            Deadline = Timestamps.ParseOptional(facts.StringMember("deadline")),
            TimeoutMs = facts.IntegerMember("timeoutMs") ?? 0,
            RecursionLimit = (int)(facts.IntegerMember("recursionLimit") ?? 0),
            Origin = ForkPayloads.ReadOrigin(facts),
            Options = new RunOptions
            {
                Tenant = Text(owner, "tenant"),
                Principal = owner.StringMember("principal"),
                IsTest = facts.Member("test") is { ValueKind: JsonValueKind.True },
                DefinitionOwner = Text(facts, "definitionOwner"),
                DefinitionVersion = facts.IntegerMember("definitionVersion") ?? 0,
                Configurable = facts.Member("configurable") ?? default,
                Tags = (facts.Member("tags") ?? payload.Member("tags")) is { } tags ? [.. tags.EnumerateArray().Select(tag => tag.GetString()!)] : [],
                Metadata = facts.Member("metadata") ?? payload.Member("metadata") ?? default,
                ScopeId = facts.StringMember("scopeId"),
                CallbackUrl = facts.StringMember("callbackUrl"),
                Traceparent = facts.StringMember("traceparent"),
                Transport = payload.StringMember("transport") ?? RunTransports.Rest,
                EngineVersion = int.TryParse(payload.StringMember("engineVersion"), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : EngineVersions.Current,
                Parent = ChildPayloads.ReadParent(facts),
                CausationId = facts.StringMember("causationId"),
                Lineage = ReadLineage(facts),
            },
        };
    }

    private static NodeStarted ReadNodeStarted(JsonElement payload, JsonElement facts) =>
        new(Text(payload, "nodeId"), Text(payload, "typeId"), (int)(payload.IntegerMember("attempt") ?? 0), (int)(facts.IntegerMember("iteration") ?? 0))
        {
            Agent = payload.Member("agent"),
            Inputs = facts.Member("inputs") is { } inputs ? ReadValues(inputs) : null,
            Resets = facts.Member("resets") is { } resets ? [.. resets.EnumerateArray().Select(id => id.GetString()!)] : [],
            DelayUntil = Timestamps.ParseOptional(facts.StringMember("delayUntil")),
            DelayedOutputs = facts.Member("delayedOutputs"),
        };

    private static NodeCompleted ReadNodeCompleted(JsonElement payload, JsonElement facts)
    {
        var shown = Required(payload, "outputs");
        var real = facts.Member("outputs");
        return new NodeCompleted(Text(payload, "nodeId"), real ?? shown)
        {
            MaskedOutputs = real is null ? null : shown,
            LivePorts = facts.Member("livePorts") is { } ports ? [.. ports.EnumerateArray().Select(port => port.GetString()!)] : null,
            LoopState = facts.Member("loopState"),
            EndsRun = facts.Member("endsRun") is not null,
            DurationMs = payload.IntegerMember("durationMs") ?? 0,
            Cost = Cost.Read(facts),
        };
    }

    internal static ImmutableArray<string> ReadLineage(JsonElement parent) =>
        parent.Member("lineage") is { } lineage ? [.. lineage.EnumerateArray().Select(trigger => trigger.GetString()!)] : [];

    internal static ImmutableSortedDictionary<string, JsonElement> ReadValues(JsonElement values) =>
        RunState.EmptyValues.AddRange(values.EnumerateObject().Select(value => KeyValuePair.Create(value.Name, value.Value)));
}
