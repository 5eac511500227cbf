using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Log;

/// <summary>
/// A <see cref="RunState"/> as bytes, stored when a run starts to wait and when it ends, so that reading a run does not fold
/// its whole log. A cache of the log: the version in front lets a newer engine discard it and fold again.
/// </summary>
internal static class StateCodec
{
    private const int FormatVersion = 1;

    public static ReadOnlyMemory<byte> Encode(RunState state)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        writer.WriteNumber("format", FormatVersion);
        writer.WriteNumber("sequence", state.LastSequence);
        writer.WriteString("status", state.Status.ToString());
        writer.WriteString("runId", state.RunId);
        writer.WriteString("workflowId", state.WorkflowId);
        writer.WriteNumber("nodeExecutions", state.NodeExecutions);
        writer.WriteNumber("recursionLimit", state.RecursionLimit);
        writer.WriteNumber("timeoutMs", state.TimeoutMs);
        WriteTime(writer, "startedAt", state.StartedAt);
        WriteTime(writer, "endedAt", state.EndedAt);
        WriteTime(writer, "deadline", state.Deadline);
        WriteValue(writer, "inputs", state.Inputs);
        WriteValue(writer, "outputs", state.Outputs);
        EventFacts.WriteValues(writer, "variables", state.Variables);
        ChannelPayloads.WriteStates(writer, state.Channels);
        EventFacts.WriteNames(writer, "sensitive", state.SensitiveVariables.Order(StringComparer.Ordinal));
        if (state.Error is { } error)
        {
            EventPayloads.WriteError(writer, "error", error);
        }

        if (state.IsEnding)
            writer.WriteBoolean("ending", true);

        WriteValue(writer, "agent", state.Agent ?? default);
        state.Cost?.Write(writer);
        if (!state.Pins.IsEmpty)
        {
            writer.WriteStartObject("pins");
            foreach (var (change, version) in state.Pins)
            {
                writer.WriteNumber(change, version);
            }

            writer.WriteEndObject();
        }

        if (!state.Remembered.IsEmpty)
            EventFacts.WriteNames(writer, "remembered", state.Remembered.Order(StringComparer.Ordinal));

        if (state.Orchestration is { } orchestration)
        {
            writer.WriteStartObject("orchestration");
            writer.WriteString("agentId", orchestration.AgentId);
            writer.WriteNumber("decisions", orchestration.Decisions);
            writer.WriteNumber("sequence", orchestration.LatestSequence);
            WriteValue(writer, "latest", orchestration.Latest);
            writer.WriteEndObject();
        }

        ArtifactPayloads.WriteStates(writer, state);
        ChildPayloads.WriteStates(writer, state);
        if (state.IsCancelledByParent)
            writer.WriteBoolean("cancelledByParent", true);

        WriteTime(writer, "pausedAt", state.PausedAt);
        if (state.PauseRequested is { } pause)
        {
            WriteTime(writer, "pauseRequestedAt", pause.At);
            writer.WriteString("pausePolicy", pause.DrainPolicy);
            EventPayloads.WriteOptional(writer, "pauseReason", pause.Reason);
        }

        if (!state.Requests.IsEmpty)
            WriteRequests(writer, state);

        ForkPayloads.WriteOrigin(writer, state.Origin);
        if (state.Options is { } options)
        {
            WriteOptions(writer, options);
        }

        writer.WriteStartObject("nodes");
        foreach (var (nodeId, node) in state.Nodes)
        {
            writer.WriteStartObject(nodeId);
            WriteNode(writer, node);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteStartObject("loops");
        foreach (var (nodeId, loop) in state.Loops)
        {
            writer.WriteStartObject(nodeId);
            writer.WriteNumber("executions", loop.Executions);
            writer.WriteNumber("loopbacks", loop.Loopbacks);
            WriteValue(writer, "state", loop.State ?? default);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>The state, or null when the bytes come from another format version and the log must be folded instead.</summary>
    public static RunState? Decode(ReadOnlySpan<byte> utf8)
    {
        var root = JsonElement.Parse(utf8, JsonValues.ReadOptions);
        if (root.IntegerMember("format") != FormatVersion)
        {
            return null;
        }

        var state = RunState.Empty;
        return state with
        {
            LastSequence = root.GetProperty("sequence").GetInt64(),
            Status = Enum.Parse<RunStatus>(EventPayloads.Text(root, "status")),
            RunId = EventPayloads.Text(root, "runId"),
            WorkflowId = EventPayloads.Text(root, "workflowId"),
            NodeExecutions = root.GetProperty("nodeExecutions").GetInt32(),
            RecursionLimit = root.GetProperty("recursionLimit").GetInt32(),
            TimeoutMs = root.GetProperty("timeoutMs").GetInt64(),
            StartedAt = Timestamps.ParseOptional(root.StringMember("startedAt")) ?? default,
            EndedAt = Timestamps.ParseOptional(root.StringMember("endedAt")),
            Deadline = Timestamps.ParseOptional(root.StringMember("deadline")),
            Inputs = root.Member("inputs") ?? default,
            Outputs = root.Member("outputs") ?? default,
            Variables = EventPayloads.ReadValues(root.GetProperty("variables")),
            Channels = ChannelPayloads.ReadStates(root),
            SensitiveVariables = [.. root.GetProperty("sensitive").EnumerateArray().Select(name => name.GetString()!)],
            Error = root.Member("error") is null ? null : EventPayloads.ReadError(root, "error"),
            IsEnding = root.Member("ending") is not null,
            Agent = root.Member("agent"),
            Cost = Cost.Read(root),
            Pins = root.Member("pins") is { } pins
                ? ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, pins.EnumerateObject().Select(pin => KeyValuePair.Create(pin.Name, pin.Value.GetInt32())))
                : state.Pins,
            Remembered = root.Member("remembered") is { } remembered ? [.. remembered.EnumerateArray().Select(id => id.GetString()!)] : [],
            Orchestration = root.Member("orchestration") is { } orchestration
                ? new Orchestration(
                    EventPayloads.Text(orchestration, "agentId"),
                    orchestration.GetProperty("decisions").GetInt32(),
                    orchestration.GetProperty("latest"),
                    orchestration.GetProperty("sequence").GetInt64())
                : null,
            Artifacts = ArtifactPayloads.ReadStates(root),
            Children = ChildPayloads.ReadStates(root),
            IsCancelledByParent = root.Member("cancelledByParent") is not null,
            PausedAt = Timestamps.ParseOptional(root.StringMember("pausedAt")),
            PauseRequested = root.StringMember("pausePolicy") is { } policy
                ? new PendingPause(root.StringMember("pauseReason"), policy, Timestamps.Parse(EventPayloads.Text(root, "pauseRequestedAt")))
                : null,
            Requests = root.Member("requests") is { } requests ? [.. requests.EnumerateArray().Select(ReadHandled)] : [],
            Origin = ForkPayloads.ReadOrigin(root),
            Options = root.Member("options") is { } options ? ReadOptions(options) : null,
            Nodes = state.Nodes.AddRange(root.GetProperty("nodes").EnumerateObject().Select(node => KeyValuePair.Create(node.Name, ReadNode(node.Value)))),
            Loops = state.Loops.AddRange(root.GetProperty("loops").EnumerateObject().Select(loop => KeyValuePair.Create(loop.Name, new LoopMemory(
                loop.Value.GetProperty("executions").GetInt32(), loop.Value.Member("state"), loop.Value.GetProperty("loopbacks").GetInt32())))),
        };
    }

    private static void WriteRequests(Utf8JsonWriter writer, RunState state)
    {
        writer.WriteStartArray("requests");
        foreach (var handled in state.Requests)
        {
            writer.WriteStartObject();
            EventFacts.WriteRequest(writer, handled.Request);
            WriteTime(writer, "at", handled.At);
            writer.WriteString("status", handled.Status);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static HandledRequest ReadHandled(JsonElement handled) => new(
        EventFacts.ReadRequest(handled)!, Timestamps.Parse(EventPayloads.Text(handled, "at")), EventPayloads.Text(handled, "status"));

    private static void WriteOptions(Utf8JsonWriter writer, RunOptions options)
    {
        writer.WriteStartObject("options");
        writer.WriteString("tenant", options.Tenant);
        EventPayloads.WriteOptional(writer, "principal", options.Principal);
        writer.WriteBoolean("test", options.IsTest);
        writer.WriteString("definitionOwner", options.DefinitionOwner);
        writer.WriteNumber("definitionVersion", options.DefinitionVersion);
        WriteValue(writer, "configurable", options.Configurable);
        WriteValue(writer, "metadata", options.Metadata);
        EventFacts.WriteNames(writer, "tags", options.Tags);
        EventPayloads.WriteOptional(writer, "scopeId", options.ScopeId);
        EventPayloads.WriteOptional(writer, "callbackUrl", options.CallbackUrl);
        EventPayloads.WriteOptional(writer, "traceparent", options.Traceparent);
        writer.WriteNumber("engineVersion", options.EngineVersion);
        ChildPayloads.WriteParent(writer, options.Parent);
        if (!options.Lineage.IsEmpty)
            EventFacts.WriteNames(writer, "lineage", options.Lineage);
        writer.WriteEndObject();
    }

    private static RunOptions ReadOptions(JsonElement options) => new()
    {
        Tenant = EventPayloads.Text(options, "tenant"),
        Principal = options.StringMember("principal"),
        IsTest = options.GetProperty("test").GetBoolean(),
        DefinitionOwner = EventPayloads.Text(options, "definitionOwner"),
        DefinitionVersion = options.GetProperty("definitionVersion").GetInt64(),
        Configurable = options.Member("configurable") ?? default,
        Metadata = options.Member("metadata") ?? default,
        Tags = [.. options.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!)],
        ScopeId = options.StringMember("scopeId"),
        CallbackUrl = options.StringMember("callbackUrl"),
        Traceparent = options.StringMember("traceparent"),
        EngineVersion = (int?)options.IntegerMember("engineVersion") ?? EngineVersions.Current,
        Parent = ChildPayloads.ReadParent(options),
        Lineage = EventPayloads.ReadLineage(options),
    };

    private static void WriteNode(Utf8JsonWriter writer, NodeState node)
    {
        writer.WriteString("status", node.Status.ToString());
        writer.WriteNumber("attempt", node.Attempt);
        writer.WriteNumber("iteration", node.Iteration);
        WriteTime(writer, "startedAt", node.StartedAt);
        WriteTime(writer, "endedAt", node.EndedAt);
        WriteTime(writer, "dueAt", node.DueAt);
        WriteValue(writer, "outputs", node.Outputs);
        WriteValue(writer, "maskedOutputs", node.MaskedOutputs ?? default);
        WriteValue(writer, "loopState", node.LoopState ?? default);
        if (node.Inputs is { } inputs)
        {
            EventFacts.WriteValues(writer, "inputs", inputs);
        }

        if (node.LivePorts is { } ports)
        {
            EventFacts.WriteNames(writer, "livePorts", ports);
        }

        if (!node.ChildRuns.IsEmpty)
            EventFacts.WriteNames(writer, "childRuns", node.ChildRuns);

        EventPayloads.WriteOptional(writer, "awaitedChild", node.AwaitedChild);
        if (node.Waits > 0)
            writer.WriteNumber("waits", node.Waits);

        if (!node.Resolved.IsEmpty)
            EventFacts.WriteValues(writer, "resolved", node.Resolved);

        if (node.Interrupt is { } interrupt)
            WriteInterrupt(writer, interrupt);

        if (node.Error is { } error)
        {
            EventPayloads.WriteError(writer, "error", error);
        }
    }

    private static NodeState ReadNode(JsonElement node)
    {
        var read = ReadStored(node);

        // States of older versions do not say for which child a node waits: it was the newest.
        return read is { Status: NodeStatus.WaitingForChild, AwaitedChild: null } ? read with { AwaitedChild = read.ChildRuns[^1] } : read;
    }

    private static NodeState ReadStored(JsonElement node) => new(Enum.Parse<NodeStatus>(EventPayloads.Text(node, "status")))
    {
        Attempt = node.GetProperty("attempt").GetInt32(),
        Iteration = node.GetProperty("iteration").GetInt32(),
        StartedAt = Timestamps.ParseOptional(node.StringMember("startedAt")) ?? default,
        EndedAt = Timestamps.ParseOptional(node.StringMember("endedAt")),
        DueAt = Timestamps.ParseOptional(node.StringMember("dueAt")),
        Outputs = node.Member("outputs") ?? default,
        MaskedOutputs = node.Member("maskedOutputs"),
        LoopState = node.Member("loopState"),
        Inputs = node.Member("inputs") is { } inputs ? EventPayloads.ReadValues(inputs) : null,
        LivePorts = node.Member("livePorts") is { } ports ? [.. ports.EnumerateArray().Select(port => port.GetString()!)] : null,
        Error = node.Member("error") is null ? null : EventPayloads.ReadError(node, "error"),
        Resolved = node.Member("resolved") is { } resolved ? EventPayloads.ReadValues(resolved) : RunState.EmptyValues,
        ChildRuns = node.Member("childRuns") is { } children ? [.. children.EnumerateArray().Select(child => child.GetString()!)] : [],
        AwaitedChild = node.StringMember("awaitedChild"),
        Waits = (int?)node.IntegerMember("waits") ?? 0,
        Interrupt = node.Member("interrupt") is { } interrupt ? ReadInterrupt(interrupt) : null,
    };

    private static void WriteInterrupt(Utf8JsonWriter writer, OpenInterrupt interrupt)
    {
        writer.WriteStartObject("interrupt");
        writer.WriteString("id", interrupt.Id);
        writer.WriteNumber("sequence", interrupt.RequestSequence);
        WriteTime(writer, "requestedAt", interrupt.RequestedAt);
        writer.WriteBoolean("resolved", interrupt.IsResolved);
        EventPayloads.WriteOptional(writer, "reason", interrupt.Request.Reason);
        writer.WriteBoolean("requiresCredential", interrupt.Request.RequiresCredential);
        writer.WriteStartObject("request");
        InterruptPayloads.WriteRequest(writer, interrupt.Request);
        writer.WriteEndObject();
        writer.WriteStartArray("votes");
        foreach (var vote in interrupt.Votes)
        {
            writer.WriteStartObject();
            writer.WriteString("voter", vote.Voter);
            writer.WriteString("action", vote.Action);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static OpenInterrupt ReadInterrupt(JsonElement interrupt) => new(
        InterruptPayloads.ReadRequest(interrupt.GetProperty("request"), interrupt),
        EventPayloads.Text(interrupt, "id"),
        interrupt.GetProperty("sequence").GetInt64(),
        Timestamps.ParseOptional(interrupt.StringMember("requestedAt")) ?? default)
    {
        IsResolved = interrupt.GetProperty("resolved").GetBoolean(),
        Votes = [.. interrupt.GetProperty("votes").EnumerateArray().Select(vote => new Vote(EventPayloads.Text(vote, "voter"), EventPayloads.Text(vote, "action")))],
    };

    private static void WriteTime(Utf8JsonWriter writer, string name, DateTimeOffset? time)
    {
        if (time is { } value && value != default)
        {
            writer.WriteString(name, Timestamps.Format(value));
        }
    }

    private static void WriteValue(Utf8JsonWriter writer, string name, JsonElement value)
    {
        if (value.IsDefined())
        {
            EventPayloads.Write(writer, name, value);
        }
    }
}
