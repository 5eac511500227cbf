using System.Buffers;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Webhooks.Subscriptions;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>Starts a run of a workflow for each event that it wants.</summary>
/// <param name="Principal">Who made it; its runs are made in this name.</param>
/// <param name="SpecJson">What its maker asked for.</param>
internal sealed record Trigger(string Id, SubscriptionOwner Owner, string Principal, byte[] SpecJson)
{
    private readonly Lazy<TriggerSpec> spec = new(() => TriggerReader.Read(JsonElement.Parse(SpecJson)));

    public TriggerSpec Spec => spec.Value;

    /// <summary>One of <see cref="SubscriptionStatus"/>.</summary>
    public string Status { get; init; } = SubscriptionStatus.Active;

    /// <summary>Where the shards of the feed stood when it was made or resumed; it sees what came after.</summary>
    public required ImmutableArray<long> Positions { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Whether an event is one that it sees; a shard that was not there yet has none from before.</summary>
    public bool Sees(int shard, long position) => shard >= Positions.Length || position > Positions[shard];

    /// <summary>The trigger as its owner sees it.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("id"u8, Id);
            foreach (var member in JsonElement.Parse(SpecJson).EnumerateObject())
                member.WriteTo(writer);
            if (!JsonElement.Parse(SpecJson).TryGetProperty("ratePerMinute", out _))
                writer.WriteNumber("ratePerMinute"u8, Spec.RatePerMinute);
            writer.WriteString("state"u8, Status);
            writer.WriteString("createdAt"u8, Format(CreatedAt));
            writer.WriteString("updatedAt"u8, Format(UpdatedAt));
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}

/// <summary>What a maker asks for: which events, which workflow, and what the run is given.</summary>
internal sealed record TriggerSpec
{
    /// <summary>Members in the order in which they are stored.</summary>
    public static readonly IReadOnlyList<string> Members = ["workflowId", "on", "inputs", "tags", "ratePerMinute", "allowSelf"];

    /// <summary>Whose head each run takes.</summary>
    public required string WorkflowId { get; init; }

    /// <summary>Exact names of event types; of a trigger on a channel <see cref="EventTypes.ChannelWritten"/>.</summary>
    public required FrozenSet<string> Events { get; init; }

    /// <summary>Only writes to this channel; null = any event of the types.</summary>
    public string? Channel { get; init; }

    /// <summary>Only runs of this workflow; null = of any.</summary>
    public string? SourceWorkflowId { get; init; }

    /// <summary>When there are any, the run must have one of them.</summary>
    public FrozenSet<string> SourceTags { get; init; } = [];

    /// <summary>Sources of inputs by name (<see cref="EventInputs"/>); undefined = the event is the input.</summary>
    public JsonElement Inputs { get; init; }

    /// <summary>Tags of the runs that it starts.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Runs that are started per minute; also the most that start at once.</summary>
    public int RatePerMinute { get; init; }

    /// <summary>Whether events of its own runs and workflow count as well.</summary>
    public bool AllowsSelf { get; init; }
}
