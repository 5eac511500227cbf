using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Webhooks.Subscriptions;

namespace OpenWop.Micro.Webhooks.Intake;

/// <summary>All subscriptions, ordered by whose events they want.</summary>
internal sealed class SubscriptionBook(IReadOnlyCollection<Subscription> all)
{
    private readonly Dictionary<SubscriptionOwner, Subscription[]> byOwner = all.GroupBy(subscription => subscription.Owner)
        .ToDictionary(group => group.Key, group => group.ToArray());

    public IReadOnlyCollection<Subscription> All => all;

    /// <summary>Those who want an event.</summary>
    public IEnumerable<Subscription> Find(int shard, FeedEvent @event)
    {
        if (!byOwner.TryGetValue(new SubscriptionOwner(@event.Tenant, @event.Test), out var candidates))
            yield break;

        foreach (var candidate in candidates)
        {
            if (candidate.Sees(shard, @event.Position) && candidate.Filter.Matches(@event.Tenant, @event.Type, @event.Tags))
                yield return candidate;
        }
    }
}
