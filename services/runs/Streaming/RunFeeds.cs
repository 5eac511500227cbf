using System.Collections.Concurrent;
using System.Threading.Channels;
using OpenWop.Micro.Runs.Log;

namespace OpenWop.Micro.Runs.Streaming;

/// <summary>
/// Committed events, as they come, to whoever follows a run on this instance. A feed may lose events (a slow reader's buffer
/// is bounded); readers notice by the sequence and fill the gap from the log.
/// </summary>
internal sealed class RunFeeds
{
    private const int BufferedBatches = 256;

    private readonly ConcurrentDictionary<string, Subscription[]> subscriptions = new(StringComparer.Ordinal);

    /// <summary>Follows a run from now on.</summary>
    public Subscription Subscribe(string runId)
    {
        var subscription = new Subscription(this, runId);
        subscriptions.AddOrUpdate(runId, _ => [subscription], (_, others) => [.. others, subscription]);
        return subscription;
    }

    /// <summary>Hands a committed batch to the followers of the run.</summary>
    public void Publish(string runId, IReadOnlyList<EncodedEvent> events)
    {
        if (subscriptions.TryGetValue(runId, out var followers))
        {
            foreach (var follower in followers)
            {
                follower.Offer(events);
            }
        }
    }

    private void Remove(Subscription subscription)
    {
        while (subscriptions.TryGetValue(subscription.RunId, out var followers))
        {
            Subscription[] others = [.. followers.Where(follower => follower != subscription)];
            var removed = others.Length == 0
                ? subscriptions.TryRemove(KeyValuePair.Create(subscription.RunId, followers))
                : subscriptions.TryUpdate(subscription.RunId, others, followers);
            if (removed)
            {
                return;
            }
        }
    }

    /// <summary>One follower.</summary>
    internal sealed class Subscription(RunFeeds feeds, string runId) : IDisposable
    {
        private readonly Channel<IReadOnlyList<EncodedEvent>> batches = Channel.CreateBounded<IReadOnlyList<EncodedEvent>>(
            new BoundedChannelOptions(BufferedBatches) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

        public string RunId => runId;

        public ChannelReader<IReadOnlyList<EncodedEvent>> Batches => batches.Reader;

        public void Offer(IReadOnlyList<EncodedEvent> events) => batches.Writer.TryWrite(events);

        public void Dispose() => feeds.Remove(this);
    }
}
