using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using OpenWop.Micro.Protocol.Schemas;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>
/// Turns the writes of an attempt into events, all or none: a write is refused when the channel is not declared, the node is not
/// among its writers, the value does not have the shape of the reducer or the schema, or the channel would grow too large.
/// </summary>
internal static class ChannelDecisions
{
    /// <summary>Largest value of a channel in bytes, unless its declaration bounds it otherwise.</summary>
    public const int MaxValueBytes = 1024 * 1024;

    public const int MaxNameLength = WorkflowLimits.MaxChannelName;

    private const string Invalid = "validation_error";

    /// <summary>The events of the writes, or why one of them is refused.</summary>
    public static (ImmutableArray<ChannelWritten> Events, NodeError? Error) Plan(
        RunState state, WorkflowDefinition definition, WorkflowNode node, IReadOnlyList<ChannelWrite> writes, DateTimeOffset now)
    {
        if (writes.Count == 0)
            return ([], null);

        // Each write sees what those before it have made of its channel.
        var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        var events = ImmutableArray.CreateBuilder<ChannelWritten>(writes.Count);
        foreach (var write in writes)
        {
            var declared = definition.Channels?.GetValueOrDefault(write.Channel);
            if (Refusal(definition, declared, node, write) is { } refusal)
                return ([], refusal);

            var @event = EventOf(declared, node, write, now);
            var before = values.TryGetValue(write.Channel, out var known) ? known : Current(state, write.Channel);
            var after = ChannelReducers.Reduce(before, @event, now);
            if (Misfit(declared, write, @event, after) is { } misfit)
                return ([], misfit);

            values[write.Channel] = after;
            events.Add(@event);
        }

        return (events.DrainToImmutable(), null);
    }

    /// <summary>The folded value of a channel; undefined when there is none.</summary>
    public static JsonElement Current(RunState state, string channel) =>
        state.Channels is { } channels ? channels.GetValueOrDefault(channel)?.Value ?? default : state.Variables.GetValueOrDefault(channel);

    private static ChannelWritten EventOf(ChannelDeclaration? declared, WorkflowNode node, ChannelWrite write, DateTimeOffset now)
    {
        var reducer = declared?.Reducer ?? write.Reducer ?? ChannelReducers.Replace;
        var ttl = ChannelReducers.HasTtl(reducer) && (declared?.TtlMs ?? write.TtlMs) is > 0 and var ms ? ms : (long?)null;
        return new ChannelWritten(write.Channel, ttl is null ? write.Value : ChannelReducers.Wrap(write.Value, now), reducer, now, node.Id)
        {
            SchemaVersion = declared?.SchemaVersion ?? 1,
            TtlMs = ttl,
            MaxSize = declared is null ? write.MaxSize : declared.MaxSize,
            IsDeclared = declared is not null,
            Sensitive = declared?.Sensitive ?? false,
        };
    }

    private static NodeError? Refusal(WorkflowDefinition definition, ChannelDeclaration? declared, WorkflowNode node, ChannelWrite write)
    {
        if (write.Channel.Length is 0 or > MaxNameLength)
            return new NodeError(Invalid, $"The name of a channel must have 1 to {MaxNameLength} characters.");

        if (declared is null && definition.Channels is not null)
            return new NodeError(Invalid, $"The workflow declares no channel '{write.Channel}'.");

        if (declared is not null && write.Reducer is { } asked && asked != declared.Reducer)
            return new NodeError(Invalid, $"Channel '{write.Channel}' has the reducer '{declared.Reducer}', not '{asked}'.");

        if (declared is not null && ChannelAccess.Check(write.Channel, declared, node, ChannelAccess.Writers) is { } denied)
            return denied;

        var reducer = declared?.Reducer ?? write.Reducer ?? ChannelReducers.Replace;
        return ShapeError(reducer, write.Value) is { } problem ? new NodeError(Invalid, $"A write into channel '{write.Channel}' {problem}.") : null;
    }

    private static string? ShapeError(string reducer, JsonElement value) => reducer switch
    {
        ChannelReducers.Merge when value.ValueKind != JsonValueKind.Object => "must be an object, because its reducer is 'merge'",
        ChannelReducers.Counter when value.ValueKind != JsonValueKind.Number => "must be a number, because its reducer is 'counter'",
        ChannelReducers.Votes when ChannelReducers.VoterOf(value) is null => "must have a 'userId', because its reducer is 'votes'",
        ChannelReducers.Message when value.StringMember("messageId") is null => "must have a 'messageId', because its reducer is 'message'",
        ChannelReducers.Message when value.StringMember("role") is not ("system" or "user" or "assistant" or "tool" or "agent") =>
            "must have one of the roles system, user, assistant, tool, agent",
        _ when !ChannelReducers.IsKnown(reducer) => $"cannot be reduced: this server has no reducer '{reducer}'",
        _ => null,
    };

    private static NodeError? Misfit(ChannelDeclaration? declared, ChannelWrite write, ChannelWritten @event, JsonElement after)
    {
        if (!after.IsDefined())
            return null;

        if (JsonMarshal.GetRawUtf8Value(after).Length > MaxValueBytes)
            return new NodeError(Invalid, $"Channel '{write.Channel}' would have more than {MaxValueBytes} bytes.");

        if (!ChannelReducers.IsList(@event.Reducer) && @event.MaxSize is { } size && SizeOf(after) > size)
            return new NodeError(Invalid, $"Channel '{write.Channel}' may have at most {size} members.");

        // Published workflows describe the value of the channel, the text the write: either will do.
        return declared?.Schema is { } schema && !Fits(schema, write.Value) && !Fits(schema, PlainValue(@event, after))
            ? new NodeError(Invalid, $"A write into channel '{write.Channel}' does not fit its schema.")
            : null;
    }

    internal static bool Fits(JsonElement schema, JsonElement value) => JsonSchemaDocument.CompileCached(schema).IsValid(value);

    private static int SizeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.GetArrayLength(),
        JsonValueKind.Object => value.GetPropertyCount(),
        _ => 1,
    };

    /// <summary>The list without the wrapping of entries that expire.</summary>
    private static JsonElement PlainValue(ChannelWritten @event, JsonElement value) => @event.TtlMs is null || value.ValueKind != JsonValueKind.Array
        ? value
        : JsonSerializer.SerializeToElement(value.EnumerateArray().Select(entry => ChannelReducers.Unwrap(entry, wrapped: true)));
}
