using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;

namespace OpenWop.Micro.Runs.Log;

/// <summary>The private half of an event: what the fold needs and the wire document must not or cannot hold.</summary>
internal static class EventFacts
{
    /// <summary>The facts as UTF-8 JSON, empty when the payload says it all.</summary>
    public static ReadOnlyMemory<byte> Write(RunEventBody body, RequestIdentity? request = null)
    {
        var facts = Write(body);
        return request is null ? facts : Object(writer =>
        {
            if (!facts.IsEmpty)
            {
                foreach (var member in JsonElement.Parse(facts.Span, JsonValues.ReadOptions).EnumerateObject())
                    member.WriteTo(writer);
            }

            WriteRequest(writer, request);
        });
    }

    public static void WriteRequest(Utf8JsonWriter writer, RequestIdentity request)
    {
        writer.WriteString("requestId", request.Id);
        EventPayloads.WriteOptional(writer, "requestDigest", request.Digest);
    }

    public static RequestIdentity? ReadRequest(JsonElement facts) =>
        facts.StringMember("requestId") is { } id ? new RequestIdentity(id, facts.StringMember("requestDigest")) : null;

    private static ReadOnlyMemory<byte> Write(RunEventBody body) => body switch
    {
        RunStarted started => Object(writer => WriteRunStarted(writer, started)),
        NodeStarted started when HasFacts(started) => Object(writer => WriteNodeStarted(writer, started)),
        NodeCompleted completed when HasFacts(completed) => Object(writer => WriteNodeCompleted(writer, completed)),
        NodeFailed { Cost: { } cost } => Object(cost.Write),
        NodeRetried retried => Object(writer =>
        {
            writer.WriteString("dueAt", Timestamps.Format(retried.DueAt));
            retried.Cost?.Write(writer);
        }),
        VariableChanged { Sensitive: true } changed => Object(writer => EventPayloads.Write(writer, "next", changed.Value)),
        ChildStarted started => Object(writer => ChildPayloads.WriteFacts(writer, started)),
        ChildAwaited awaited => Object(writer => ChildPayloads.WriteFacts(writer, awaited)),
        ChildReported reported => Object(writer => ChildPayloads.WriteFacts(writer, reported)),
        ArtifactCreated created => Object(writer => ArtifactPayloads.WriteFacts(writer, created)),
        ChannelWritten written => Object(writer => ChannelPayloads.WriteFacts(writer, written)),
        _ => InterruptFacts(body),
    };

    private static ReadOnlyMemory<byte> InterruptFacts(RunEventBody body)
    {
        var any = false;
        var facts = Object(writer => any = InterruptPayloads.TryWriteFacts(writer, body));
        return any ? facts : ReadOnlyMemory<byte>.Empty;
    }

    private static bool HasFacts(NodeStarted started) =>
        started.Iteration > 0 || !started.Resets.IsEmpty || started.DelayUntil is not null || started.Inputs is not null;

    private static bool HasFacts(NodeCompleted completed) =>
        completed.MaskedOutputs is not null || completed.LivePorts is not null || completed.LoopState is not null || completed.EndsRun || completed.Cost is not null;

    private static void WriteRunStarted(Utf8JsonWriter writer, RunStarted started)
    {
        writer.WriteString("definitionOwner", started.Options.DefinitionOwner);
        writer.WriteNumber("definitionVersion", started.Options.DefinitionVersion);
        writer.WriteNumber("recursionLimit", started.RecursionLimit);
        WriteValues(writer, "variables", started.Variables);
        ChannelPayloads.WriteStates(writer, started.Channels);
        if (!started.SensitiveVariables.IsEmpty)
        {
            WriteNames(writer, "sensitive", started.SensitiveVariables.Order(StringComparer.Ordinal));
        }

        if (started.Inputs.IsDefined())
        {
            EventPayloads.Write(writer, "inputs", started.Inputs);
        }

        if (started.Deadline is { } deadline)
        {
            writer.WriteString("deadline", Timestamps.Format(deadline));
            writer.WriteNumber("timeoutMs", started.TimeoutMs);
        }

        if (started.Options.IsTest)
        {
            writer.WriteBoolean("test", true);
        }

        if (started.Options.Configurable.IsDefined())
        {
            EventPayloads.Write(writer, "configurable", started.Options.Configurable);
        }

        ChildPayloads.WriteParent(writer, started.Options.Parent);
        ForkPayloads.WriteOrigin(writer, started.Origin);
        ForkPayloads.WriteOverlay(writer, started);
        EventPayloads.WriteOptional(writer, "scopeId", started.Options.ScopeId);
        EventPayloads.WriteOptional(writer, "callbackUrl", started.Options.CallbackUrl);
        EventPayloads.WriteOptional(writer, "traceparent", started.Options.Traceparent);
        EventPayloads.WriteOptional(writer, "causationId", started.Options.CausationId);
        if (!started.Options.Lineage.IsEmpty)
            WriteNames(writer, "lineage", started.Options.Lineage);
    }

    private static void WriteNodeStarted(Utf8JsonWriter writer, NodeStarted started)
    {
        if (started.Iteration > 0)
        {
            writer.WriteNumber("iteration", started.Iteration);
        }

        if (!started.Resets.IsEmpty)
        {
            WriteNames(writer, "resets", started.Resets);
        }

        if (started.Inputs is { } inputs)
        {
            WriteValues(writer, "inputs", inputs);
        }

        if (started.DelayUntil is { } until)
        {
            writer.WriteString("delayUntil", Timestamps.Format(until));
            EventPayloads.Write(writer, "delayedOutputs", started.DelayedOutputs ?? JsonValues.EmptyObject);
        }
    }

    private static void WriteNodeCompleted(Utf8JsonWriter writer, NodeCompleted completed)
    {
        completed.Cost?.Write(writer);
        if (completed.MaskedOutputs is not null)
        {
            EventPayloads.Write(writer, "outputs", completed.Outputs);
        }

        if (completed.LivePorts is { } ports)
        {
            WriteNames(writer, "livePorts", ports);
        }

        if (completed.EndsRun)
        {
            writer.WriteBoolean("endsRun", true);
        }

        if (completed.LoopState is { } state)
        {
            EventPayloads.Write(writer, "loopState", state);
        }
    }

    internal static void WriteValues(Utf8JsonWriter writer, string name, ImmutableSortedDictionary<string, JsonElement> values)
    {
        writer.WriteStartObject(name);
        foreach (var (key, value) in values)
        {
            EventPayloads.Write(writer, key, value);
        }

        writer.WriteEndObject();
    }

    internal static void WriteNames(Utf8JsonWriter writer, string name, IEnumerable<string> names)
    {
        writer.WriteStartArray(name);
        foreach (var item in names)
        {
            writer.WriteStringValue(item);
        }

        writer.WriteEndArray();
    }

    private static ReadOnlyMemory<byte> Object(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        write(writer);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}
