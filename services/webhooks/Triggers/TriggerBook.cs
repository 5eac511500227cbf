using System.Text.Json;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Webhooks.Subscriptions;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>All active triggers as of a revision, ordered by whose events of which type they want.</summary>
internal sealed class TriggerBook(IReadOnlyCollection<Trigger> all)
{
    public static TriggerBook Empty { get; } = new([]);

    private readonly Dictionary<(SubscriptionOwner Owner, string Type), Trigger[]> byType = all
        .SelectMany(trigger => trigger.Spec.Events.Select(type => (Key: (trigger.Owner, type), Trigger: trigger)))
        .GroupBy(entry => entry.Key)
        .ToDictionary(group => group.Key, group => group.Select(entry => entry.Trigger).ToArray());

    public IReadOnlyCollection<Trigger> All => all;

    /// <summary>Those that an event fires.</summary>
    public IEnumerable<Trigger> Find(int shard, FeedEvent @event)
    {
        if (!byType.TryGetValue((new SubscriptionOwner(@event.Tenant, @event.Test), @event.Type), out var candidates))
            yield break;

        string? channel = null;
        foreach (var candidate in candidates)
        {
            var spec = candidate.Spec;
            if (!candidate.Sees(shard, @event.Position)
                || (spec.SourceWorkflowId is { } source && source != @event.WorkflowId)
                || (spec.SourceTags.Count > 0 && !@event.Tags.Any(spec.SourceTags.Contains))
                || (!spec.AllowsSelf && LoopRules.IsOwn(candidate, @event))
                || (spec.Channel is not null && spec.Channel != (channel ??= ChannelOf(@event))))
            {
                continue;
            }

            yield return candidate;
        }
    }

    private static string ChannelOf(FeedEvent @event) =>
        JsonElement.Parse(@event.Document.Span).TryGetProperty("payload", out var payload)
        && payload.TryGetProperty("channel", out var channel) && channel.ValueKind == JsonValueKind.String
            ? channel.GetString()!
            : "";
}
