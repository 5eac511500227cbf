using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace OpenWop.Micro.Events;

/// <summary>Who in this process listens to what. Delivering takes no lock and allocates nothing.</summary>
internal sealed class TopicTable
{
    private readonly ConcurrentDictionary<string, ImmutableArray<BusSubscription>> _topics = new(StringComparer.Ordinal);

    public void Add(BusSubscription subscription)
    {
        foreach (var topic in subscription.Topics)
        {
            _topics.AddOrUpdate(
                topic,
                static (_, added) => [added],
                static (_, present, added) => present.Add(added),
                subscription);
        }
    }

    public void Remove(BusSubscription subscription)
    {
        foreach (var topic in subscription.Topics)
        {
            // A topic without subscribers leaves the table: there is one topic per run, and runs come and go.
            while (_topics.TryGetValue(topic, out var present))
            {
                var rest = present.Remove(subscription);
                if (rest.IsEmpty
                    ? _topics.TryRemove(KeyValuePair.Create(topic, present))
                    : _topics.TryUpdate(topic, rest, present))
                    break;
            }
        }
    }

    public void Deliver(in BusMessage message)
    {
        if (!_topics.TryGetValue(message.Topic, out var subscriptions))
            return;

        foreach (var subscription in subscriptions)
            subscription.Offer(message);
    }

    /// <summary>A gap for the subscriptions of topics that begin with the prefix; an empty one means all of them.</summary>
    public void DeliverGap(string topicPrefix)
    {
        foreach (var (topic, subscriptions) in _topics)
        {
            if (!topic.StartsWith(topicPrefix, StringComparison.Ordinal))
                continue;

            foreach (var subscription in subscriptions)
                subscription.OfferGap();
        }
    }

    /// <summary>A gap for every subscription that got nothing since the last call.</summary>
    public void DeliverGapToSilent()
    {
        foreach (var (_, subscriptions) in _topics)
        {
            foreach (var subscription in subscriptions)
                subscription.OfferGapIfSilent();
        }
    }

    internal int Count => _topics.Count;
}
