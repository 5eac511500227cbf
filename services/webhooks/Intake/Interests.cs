using OpenWop.Micro.Webhooks.Triggers;

namespace OpenWop.Micro.Webhooks.Intake;

/// <summary>Who wants to hear of events, as of a revision.</summary>
internal sealed record Interests(long Revision, SubscriptionBook Subscriptions, TriggerBook Triggers)
{
    public static Interests None { get; } = new(0, new SubscriptionBook([]), TriggerBook.Empty);

    public bool IsEmpty => Subscriptions.All.Count == 0 && Triggers.All.Count == 0;

    /// <summary>The position of a shard up to which nobody wants anything; of no interest when there is nobody.</summary>
    public long StartOf(int shard) => PositionsOf(shard).Min();

    /// <summary>The last position of a shard that somebody has noted; 0 when there is nobody.</summary>
    public long LastNotedOf(int shard) => PositionsOf(shard).DefaultIfEmpty().Max();

    private IEnumerable<long> PositionsOf(int shard) => Subscriptions.All.Select(subscription => subscription.Positions)
        .Concat(Triggers.All.Select(trigger => trigger.Positions))
        .Select(positions => shard < positions.Length ? positions[shard] : 0);
}

/// <summary>What a page of the feed has led to.</summary>
internal readonly record struct Intake(int Deliveries, int Firings);
