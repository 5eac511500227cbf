using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Events.Redis;
using OpenWop.Micro.Testing;
using Xunit;

namespace OpenWop.Micro.Events.Tests;

/// <summary>Two buses stand for two processes.</summary>
public sealed class RedisEventBusTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<RedisEventBus> _buses = [];
    private RedisServer _server = null!;

    public async Task InitializeAsync() => _server = await RedisServer.StartAsync();

    public async Task DisposeAsync()
    {
        foreach (var bus in _buses)
        {
            await bus.StopAsync(CancellationToken.None);
            bus.Dispose();
        }

        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Messages_reach_other_processes_in_order_and_the_own_one_once()
    {
        var (here, there) = (await ConnectedAsync(), await ConnectedAsync());
        await using var remote = await SubscribedAsync(there, "runs/a");
        await using var local = await SubscribedAsync(here, "runs/a");

        for (var position = 1; position <= 1000; position++)
            here.Publish(new BusMessage("runs/a", position, BitConverter.GetBytes(position)));

        for (var position = 1; position <= 1000; position++)
        {
            var message = await ReadAsync(remote);
            Assert.Equal(position, message.Position);
            Assert.Equal("runs/a", message.Topic);
            Assert.Equal(BitConverter.GetBytes(position), message.Payload.ToArray());
            if (position <= IEventBus.DefaultCapacity)
                await ReadAsync(local);
        }

        there.Publish(new BusMessage("runs/a", 1001, default));
        while ((await ReadAsync(local)).Position != 1001)
        {
        }

        Assert.False(local.TryRead(out _));
    }

    [Fact]
    public async Task A_restart_of_Redis_becomes_a_gap_and_messages_flow_again()
    {
        var (here, there) = (await ConnectedAsync(), await ConnectedAsync());
        await using var subscription = await SubscribedAsync(there, "t");

        await _server.StopAsync();
        await Eventually.TrueAsync(() => !here.IsConnected && !there.IsConnected);
        here.Publish(new BusMessage("t", 1, default)); // lost
        await using var meanwhile = await ((IEventBus)there).SubscribeAsync("u", CancellationToken.None);
        await _server.StartServerAsync();

        Assert.True((await ReadAsync(subscription)).IsGap);
        await Eventually.TrueAsync(() =>
        {
            here.Publish(new BusMessage("t", 2, default));
            return Drain(subscription).Contains(2);
        });
        await Eventually.TrueAsync(() =>
        {
            here.Publish(new BusMessage("u", 3, default));
            return Drain(meanwhile).Contains(3);
        });
    }

    [Fact]
    public async Task A_bus_that_starts_before_Redis_works_within_the_process_and_beyond_it_later()
    {
        await _server.StopAsync();
        var here = New();
        await here.StartAsync(CancellationToken.None);
        await using var local = await ((IEventBus)here).SubscribeAsync("t", CancellationToken.None);
        here.Publish(new BusMessage("t", 1, default));
        Assert.Equal(1, (await ReadAsync(local)).Position);

        await _server.StartServerAsync();
        var there = await ConnectedAsync();
        await Eventually.TrueAsync(() =>
        {
            there.Publish(new BusMessage("t", 2, default));
            return Drain(local).Contains(2);
        });
    }

    [Fact]
    public async Task A_silent_subscription_gets_a_gap_now_and_then()
    {
        var bus = await ConnectedAsync();
        await using var subscription = await SubscribedAsync(bus, "t");
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(15));
            return subscription.TryRead(out var message) && message.IsGap;
        });
    }

    [Fact]
    public async Task A_gap_that_somebody_publishes_reaches_the_topics_it_is_about_in_all_processes()
    {
        var (here, there) = (await ConnectedAsync(), await ConnectedAsync());
        await using var local = await SubscribedAsync(here, "runs/a1");
        await using var remote = await SubscribedAsync(there, "runs/a2");
        await using var other = await SubscribedAsync(there, "runs/b");

        here.PublishGap("runs/a");

        Assert.True((await ReadAsync(local)).IsGap);
        Assert.True((await ReadAsync(remote)).IsGap);
        Assert.False(other.TryRead(out _));
    }

    [Fact]
    public async Task Thousands_of_topics_come_and_go()
    {
        var (here, there) = (await ConnectedAsync(), await ConnectedAsync());
        await Task.WhenAll(Enumerable.Range(0, 2000).Select(number => Task.Run(async () =>
        {
            var topic = "runs/" + (number % 500);
            var subscription = await ((IEventBus)there).SubscribeAsync(topic, CancellationToken.None);
            here.Publish(new BusMessage(topic, number, default));
            await foreach (var message in subscription.ReadAllAsync(new CancellationTokenSource(Eventually.Limit).Token))
            {
                if (message.IsGap || message.Position == number)
                    break;
            }

            await subscription.DisposeAsync();
        })));
    }

    private RedisEventBus New()
    {
        var bus = new RedisEventBus(_server.ConnectionString, TimeSpan.FromSeconds(15), _time, NullLogger<RedisEventBus>.Instance);
        _buses.Add(bus);
        return bus;
    }

    private async Task<RedisEventBus> ConnectedAsync()
    {
        var bus = New();
        await bus.StartAsync(CancellationToken.None);
        await Eventually.TrueAsync(() => bus.IsConnected);
        return bus;
    }

    /// <summary>Subscribed at Redis for sure: the gap of the start is over.</summary>
    private static async Task<BusSubscription> SubscribedAsync(RedisEventBus bus, string topic)
    {
        var subscription = await ((IEventBus)bus).SubscribeAsync([topic], 2048, CancellationToken.None);
        await Eventually.TrueAsync(async () =>
        {
            await Task.Delay(100);
            return !subscription.TryRead(out _);
        });
        return subscription;
    }

    private static async Task<BusMessage> ReadAsync(BusSubscription subscription)
    {
        using var limit = new CancellationTokenSource(Eventually.Limit);
        return await subscription.ReadAsync(limit.Token);
    }

    private static List<long> Drain(BusSubscription subscription)
    {
        var positions = new List<long>();
        while (subscription.TryRead(out var message))
            positions.Add(message.Position);

        return positions;
    }
}
