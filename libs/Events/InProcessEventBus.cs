namespace OpenWop.Micro.Events;

/// <summary>The bus of a process that hosts all services: nothing is lost but what a slow subscriber does not fetch.</summary>
public sealed class InProcessEventBus : IEventBus
{
    private readonly TopicTable _topics = new();

    /// <inheritdoc/>
    public void Publish(in BusMessage message) => _topics.Deliver(message);

    /// <inheritdoc/>
    public void PublishGap(string topicPrefix) => _topics.DeliverGap(topicPrefix);

    /// <inheritdoc/>
    public ValueTask<BusSubscription> SubscribeAsync(IReadOnlyList<string> topics, int capacity, CancellationToken cancellationToken)
    {
        var subscription = new BusSubscription(topics, capacity, removed =>
        {
            _topics.Remove(removed);
            return ValueTask.CompletedTask;
        });
        _topics.Add(subscription);
        return ValueTask.FromResult(subscription);
    }

    internal int TopicCount => _topics.Count;
}
