using System.Collections.Frozen;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Protocol.Runs;
using static OpenWop.Micro.Webhooks.Bodies.BodyMembers;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>Reads what callers say about triggers.</summary>
internal static class TriggerReader
{
    private const int MaxEvents = 32;
    private const int MaxNameLength = 128;
    private const int MaxTags = 16;
    private const int MaxRate = 6_000;
    private const int DefaultRate = 600;

    /// <summary>What a body asks for.</summary>
    /// <exception cref="ProtocolException">What is wrong with it.</exception>
    public static TriggerSpec Read(JsonElement body)
    {
        var on = Find(body, "on") ?? throw Missing("on");
        if (on.ValueKind != JsonValueKind.Object)
            throw Wrong("'on' must be an object.", "on");

        var (events, channel) = (Texts(on, "events", MaxEvents, MaxNameLength), Text(on, "channel", MaxNameLength));
        if ((events.Count == 0) == (channel is null))
            throw Wrong("'on' must have either 'events' or 'channel'.", "on");

        var spec = new TriggerSpec
        {
            WorkflowId = Text(body, "workflowId", RunOptionLimits.MaxIdLength) ?? throw Missing("workflowId"),
            Events = (channel is null ? events : [EventTypes.ChannelWritten]).ToFrozenSet(StringComparer.Ordinal),
            Channel = channel,
            SourceWorkflowId = Text(on, "workflowId", RunOptionLimits.MaxIdLength),
            SourceTags = Texts(on, "tags", MaxTags, MaxNameLength).ToFrozenSet(StringComparer.Ordinal),
            Inputs = Inputs(body),
            Tags = Texts(body, "tags", MaxTags, MaxNameLength),
            RatePerMinute = Number(body, "ratePerMinute", 1, MaxRate, DefaultRate),
            AllowsSelf = Switch(body, "allowSelf"),
        };
        return !spec.AllowsSelf && spec.SourceWorkflowId == spec.WorkflowId
            ? throw Wrong("A trigger on runs of the workflow that it starts needs 'allowSelf'.", "allowSelf")
            : spec;
    }

    private static JsonElement Inputs(JsonElement body)
    {
        if (Find(body, "inputs") is not { } inputs)
            return default;

        if (inputs.ValueKind != JsonValueKind.Object || inputs.EnumerateObject().Count() > EventInputs.MaxEntries)
            throw Wrong($"'inputs' must be an object of at most {EventInputs.MaxEntries} members.", "inputs");

        return inputs.EnumerateObject().All(entry =>
            entry.Name.Length is > 0 and <= MaxNameLength && entry.Value.ValueKind == JsonValueKind.String && EventInputs.IsSource(entry.Value.GetString()!))
                ? inputs
                : throw Wrong("'inputs' must name for each input where it comes from: event, event:/pointer, runId, workflowId or type.", "inputs");
    }
}
