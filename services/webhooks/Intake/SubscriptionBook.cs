using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Webhooks.Subscriptions;

namespace OpenWop.Micro.Webhooks.Intake;

/// <summary>All subscriptions as of a revision, ordered by whose events they want.</summary>
internal sealed class SubscriptionBook(long revision, IReadOnlyCollection<Subscription> all)
{
    private readonly Dictionary<SubscriptionOwner, Subscription[]> byOwner = all.GroupBy(subscription => subscription.Owner)
        .ToDictionary(group => group.Key, group => group.ToArray());

    public long Revision => revision;

    public bool IsEmpty => byOwner.Count == 0;

    /// <summary>The position of a shard up to which nobody wants anything.</summary>
    public long StartOf(int shard) => all.Min(subscription => shard < subscription.Positions.Length ? subscription.Positions[shard] : 0);

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
