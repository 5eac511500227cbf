using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Events.Tests;

public sealed class InProcessEventBusTests
{
    private readonly InProcessEventBus _inProcess = new();

    private IEventBus Bus => _inProcess;

    [Fact]
    public async Task A_gap_that_somebody_publishes_reaches_the_topics_it_is_about()
    {
        await using var first = await Bus.SubscribeAsync("runs/a1", CancellationToken.None);
        await using var second = await Bus.SubscribeAsync("runs/b1", CancellationToken.None);

        Bus.PublishGap("runs/a");

        Assert.True(first.TryRead(out var message) && message.IsGap);
        Assert.False(second.TryRead(out _));
    }

    [Fact]
    public async Task Every_subscriber_of_a_topic_gets_its_messages_in_order()
    {
        await using var first = await Bus.SubscribeAsync("runs/a", CancellationToken.None);
        await using var second = await Bus.SubscribeAsync(["runs/a", "runs/b"], 16, CancellationToken.None);

        Publish("runs/a", 1);
        Publish("runs/b", 5);
        Publish("runs/c", 9);
        Publish("runs/a", 2);

        Assert.Equal([1, 2], await ReadAsync(first, 2));
        Assert.Equal([1, 5, 2], await ReadAsync(second, 3));
        Assert.False(first.TryRead(out _));
        Assert.False(second.TryRead(out _));
    }

    [Fact]
    public async Task A_waiting_reader_wakes_up()
    {
        await using var subscription = await Bus.SubscribeAsync("t", CancellationToken.None);
        var read = subscription.ReadAsync(CancellationToken.None).AsTask();
        Assert.False(read.IsCompleted);

        Bus.Publish(new BusMessage("t", 7, "x"u8.ToArray()));

        var message = await read.WaitAsync(Eventually.Limit);
        Assert.Equal("x"u8, message.Payload.Span);
        Assert.Equal(7, message.Position);
    }

    [Fact]
    public async Task A_slow_reader_gets_a_gap_and_then_what_came_after_it()
    {
        await using var subscription = await Bus.SubscribeAsync(["t"], 3, CancellationToken.None);

        for (var position = 1; position <= 5; position++)
            Publish("t", position);

        Assert.Equal([-1, 4, 5], await ReadAsync(subscription, 3));
        Assert.False(subscription.TryRead(out _));
    }

    [Fact]
    public async Task Cancelling_a_read_loses_nothing()
    {
        await using var subscription = await Bus.SubscribeAsync("t", CancellationToken.None);
        using var cancellation = new CancellationTokenSource();
        var read = subscription.ReadAsync(cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);

        Publish("t", 1);
        Publish("t", 2);

        Assert.Equal([1, 2], await ReadAsync(subscription, 2));
        var next = subscription.ReadAsync(CancellationToken.None).AsTask();
        Publish("t", 3);
        Assert.Equal(3, (await next.WaitAsync(Eventually.Limit)).Position);
    }

    [Fact]
    public async Task Disposing_ends_the_reader_and_forgets_the_topic()
    {
        var subscription = await Bus.SubscribeAsync("t", CancellationToken.None);
        var read = subscription.ReadAsync(CancellationToken.None).AsTask();

        await subscription.DisposeAsync();
        await subscription.DisposeAsync();
        Publish("t", 1);

        await Assert.ThrowsAsync<ObjectDisposedException>(() => read);
        Assert.Equal(0, _inProcess.TopicCount);
    }

    [Fact]
    public async Task Many_publishers_and_readers_never_miss_a_message_unnoticed()
    {
        const int PerTopic = 2_000;
        var topics = Enumerable.Range(0, 4).Select(number => "t" + number).ToArray();
        var subscriptions = await Task.WhenAll(Enumerable.Range(0, 8).Select(index =>
            Bus.SubscribeAsync([topics[index % 4]], index < 4 ? 8 : PerTopic, CancellationToken.None).AsTask()));
        var readers = subscriptions.Select(subscription => Task.Run(async () =>
        {
            var last = 0L;
            var gaps = 0;
            await foreach (var message in subscription.ReadAllAsync(CancellationToken.None))
            {
                if (message.IsGap)
                {
                    gaps++;
                    last = -1;
                    continue;
                }

                Assert.True(last == -1 || message.Position == last + 1, $"{message.Position} after {last}");
                last = message.Position;
                if (last == PerTopic)
                    return gaps;
            }

            return gaps;
        })).ToArray();

        await Task.WhenAll(topics.Select(topic => Task.Run(() =>
        {
            for (var position = 1; position <= PerTopic; position++)
                Publish(topic, position);
        })));

        var gaps = await Task.WhenAll(readers).WaitAsync(Eventually.Limit);
        Assert.All(gaps[4..], count => Assert.Equal(0, count));
        foreach (var subscription in subscriptions)
            await subscription.DisposeAsync();

        Assert.Equal(0, _inProcess.TopicCount);
    }

    [Fact]
    public async Task Publishing_allocates_nothing()
    {
        await using var subscription = await Bus.SubscribeAsync(["t"], 64, CancellationToken.None);
        var message = new BusMessage("t", 1, "x"u8.ToArray());
        for (var i = 0; i < 200; i++)
            Bus.Publish(message);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
            Bus.Publish(message);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1024);
    }

    private void Publish(string topic, long position) => Bus.Publish(new BusMessage(topic, position, default));

    private static async Task<List<long>> ReadAsync(BusSubscription subscription, int count)
    {
        var positions = new List<long>();
        using var limit = new CancellationTokenSource(Eventually.Limit);
        while (positions.Count < count)
            positions.Add((await subscription.ReadAsync(limit.Token)).Position);

        return positions;
    }
}
