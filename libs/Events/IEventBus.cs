namespace OpenWop.Micro.Events;

/// <summary>
/// Tells those who wait that something has been committed. The log is the truth, the bus is only the wake-up: it delivers at
/// most once and may lose messages, so a subscriber follows this order:
/// <list type="number">
/// <item>Subscribe. From here on nothing is missed without a notice.</item>
/// <item>Read the log to its end.</item>
/// <item>Read the subscription; drop what the log had already (by position); on a gap, or when a position is skipped, read the
/// log again from the last position that was seen.</item>
/// </list>
/// </summary>
public interface IEventBus
{
    /// <summary>Messages that a subscription holds for a slow reader, unless it asks for another number.</summary>
    const int DefaultCapacity = 256;

    /// <summary>
    /// Publishes to all current subscribers of the topic, in this and in other processes. Never waits and never fails: what cannot
    /// be delivered is lost, and subscribers hear of a gap. Messages of one publisher arrive in the order they were published.
    /// </summary>
    void Publish(in BusMessage message);

    /// <summary>
    /// Says that messages may have got lost for good, because whoever had to publish them has died: all subscribers of topics that begin
    /// with the prefix, in this and in other processes, get a gap.
    /// </summary>
    void PublishGap(string topicPrefix);

    /// <summary>Subscribes to several topics at once; everything published after the returned task has completed is delivered or noticed as a gap.</summary>
    /// <param name="topics">Exact names.</param>
    /// <param name="capacity">Most messages kept for the reader. When more arrive, the kept ones are replaced by a gap.</param>
    ValueTask<BusSubscription> SubscribeAsync(IReadOnlyList<string> topics, int capacity, CancellationToken cancellationToken);

    /// <summary>Subscribes to one topic.</summary>
    ValueTask<BusSubscription> SubscribeAsync(string topic, CancellationToken cancellationToken) =>
        SubscribeAsync([topic], DefaultCapacity, cancellationToken);
}
