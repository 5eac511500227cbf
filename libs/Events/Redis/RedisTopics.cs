using StackExchange.Redis;

namespace OpenWop.Micro.Events.Redis;

/// <summary>
/// Which channels this process is subscribed to at Redis: one per topic, however many local subscriptions share it. A topic
/// whose subscription failed stays in the table and is tried again by <see cref="RepairAsync"/>.
/// </summary>
internal sealed class RedisTopics(Func<ISubscriber?> connection, Func<string, RedisChannel> channelOf, Action<string, byte[]?> received)
{
    /// <summary>Subscribing and unsubscribing one topic must not overlap; topics share the locks by hash.</summary>
    private readonly SemaphoreSlim[] _gates = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Counts one more local subscription. False when Redis does not know of it yet.</summary>
    public async Task<bool> AddAsync(string topic, CancellationToken cancellationToken)
    {
        var gate = GateOf(topic);
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var entry = _entries.GetOrAdd(topic, static _ => new Entry());
            entry.References++;
            return entry.Queue is not null || await TrySubscribeAsync(topic, entry).ConfigureAwait(false);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Counts one less; unsubscribes after the last one.</summary>
    public async Task RemoveAsync(string topic)
    {
        var gate = GateOf(topic);
        await gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_entries.TryGetValue(topic, out var entry) || --entry.References > 0)
                return;

            _entries.TryRemove(topic, out _);
            if (entry.Queue is { } queue)
                await queue.UnsubscribeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            // The connection is gone, and the subscription with it.
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Subscribes what failed before. True when Redis has confirmed every topic, also those that the client renews by itself after a reconnect.</summary>
    public async Task<bool> RepairAsync()
    {
        var complete = true;
        foreach (var (topic, entry) in _entries)
        {
            if (entry.Queue is not null)
            {
                complete &= connection()?.SubscribedEndpoint(channelOf(topic)) is not null;
                continue;
            }

            var gate = GateOf(topic);
            await gate.WaitAsync().ConfigureAwait(false);
            try
            {
                if (_entries.TryGetValue(topic, out var current) && current.Queue is null)
                    complete &= await TrySubscribeAsync(topic, current).ConfigureAwait(false);
            }
            finally
            {
                gate.Release();
            }
        }

        return complete;
    }

    private async Task<bool> TrySubscribeAsync(string topic, Entry entry)
    {
        if (connection() is not { } subscriber)
            return false;

        var channel = channelOf(topic);
        try
        {
            var queue = await subscriber.SubscribeAsync(channel).ConfigureAwait(false);

            // A queue instead of a handler: messages of one topic stay in order.
            queue.OnMessage(message => received(topic, message.Message));
            entry.Queue = queue;
            return true;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            // The client has noted the subscription although it failed; without this the next attempt would be a second one.
            await ForgetAsync(subscriber, channel).ConfigureAwait(false);
            return false;
        }
    }

    private static async Task ForgetAsync(ISubscriber subscriber, RedisChannel channel)
    {
        try
        {
            await subscriber.UnsubscribeAsync(channel).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            // Forgotten by the client in any case; there is no connection to tell.
        }
    }

    private SemaphoreSlim GateOf(string topic) => _gates[(uint)topic.GetHashCode(StringComparison.Ordinal) % (uint)_gates.Length];

    private sealed class Entry
    {
        public int References { get; set; }

        public ChannelMessageQueue? Queue { get; set; }
    }
}
