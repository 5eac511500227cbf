using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace OpenWop.Micro.Events.Redis;

/// <summary>
/// The bus between processes, over Redis publish/subscribe. Redis stores nothing and may come and go: what it loses becomes a gap.
/// </summary>
/// <remarks>
/// <list type="number">
/// <item>A message goes to the subscribers of this process directly, and to Redis for the others; what comes back from Redis with
/// the own sender id is dropped.</item>
/// <item>A topic is subscribed at Redis once per process. When Redis is away the subscription still stands, only deaf; the repair
/// loop subscribes it as soon as there is a connection.</item>
/// <item>After a reconnect, once Redis has confirmed all topics, every subscriber of this process gets a gap.</item>
/// <item>A process that could not publish announces that when it can again, and every subscriber of every process gets a gap.</item>
/// <item>A publisher may die between commit and publishing. Whoever takes over says so with <see cref="PublishGap"/>.</item>
/// <item>Should that get lost too, a subscriber that has heard nothing for a while gets a gap, which costs it one look into the log.</item>
/// </list>
/// </remarks>
public sealed partial class RedisEventBus : BackgroundService, IEventBus
{
    private const string Prefix = "openwop:bus:";

    /// <summary>A message here holds the prefix of the topics of which something got lost; empty = of all.</summary>
    private static readonly RedisChannel LostChannel = RedisChannel.Literal("openwop:lost");
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastPause = TimeSpan.FromSeconds(1);

    private readonly ConfigurationOptions _settings;
    private readonly TimeSpan _silence;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TopicTable _local = new();
    private readonly RedisTopics _remote;
    private readonly SemaphoreSlim _repair = new(0);
    private readonly ulong _sender = BinaryPrimitives.ReadUInt64BigEndian(RandomNumberGenerator.GetBytes(8));
    private volatile ConnectionMultiplexer? _connection;
    private volatile bool _lost;

    /// <param name="configuration">A StackExchange.Redis connection string.</param>
    /// <param name="silence">How long a subscriber hears nothing before it gets a gap; twice as long at most.</param>
    public RedisEventBus(string configuration, TimeSpan silence, TimeProvider time, ILogger<RedisEventBus> logger)
    {
        _settings = ConfigurationOptions.Parse(configuration);
        _settings.AbortOnConnectFail = false;
        _settings.BacklogPolicy = BacklogPolicy.FailFast;
        _settings.ClientName ??= "openwop";
        _settings.ReconnectRetryPolicy = new LinearRetry(500);
        _silence = silence;
        _time = time;
        _logger = logger;
        _remote = new RedisTopics(
            () => _connection is { IsConnected: true } connection ? connection.GetSubscriber() : null,
            static topic => RedisChannel.Literal(Prefix + topic),
            Receive);
    }

    /// <summary>Whether Redis is reachable now.</summary>
    public bool IsConnected => _connection is { IsConnected: true };

    /// <inheritdoc/>
    public void Publish(in BusMessage message)
    {
        // 1. Here at once, elsewhere without waiting.
        _local.Deliver(message);
        if (_connection is { IsConnected: true } connection)
            connection.GetSubscriber().Publish(RedisChannel.Literal(Prefix + message.Topic), RedisFrame.Write(_sender, message), CommandFlags.FireAndForget);
        else
            _lost = true;
    }

    /// <inheritdoc/>
    public void PublishGap(string topicPrefix)
    {
        // 5. Comes back to this process as well.
        if (_connection is { IsConnected: true } connection)
        {
            connection.GetSubscriber().Publish(LostChannel, topicPrefix, CommandFlags.FireAndForget);
        }
        else
        {
            _local.DeliverGap(topicPrefix);
            _lost = true;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<BusSubscription> SubscribeAsync(IReadOnlyList<string> topics, int capacity, CancellationToken cancellationToken)
    {
        // 2. Locally first, so that nothing slips in between.
        var added = 0;
        var subscription = new BusSubscription(topics, capacity, RemoveAsync);
        _local.Add(subscription);
        try
        {
            var complete = true;
            foreach (var topic in topics)
            {
                complete &= await _remote.AddAsync(topic, cancellationToken).ConfigureAwait(false);
                added++;
            }

            if (!complete)
                _repair.Release();

            return subscription;
        }
        catch
        {
            _local.Remove(subscription);
            foreach (var topic in topics.Take(added))
                await _remote.RemoveAsync(topic).ConfigureAwait(false);

            throw;
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await using var sweep = _time.CreateTimer(_ => _local.DeliverGapToSilent(), null, _silence, _silence).ConfigureAwait(false);
            await ConnectAsync(stoppingToken).ConfigureAwait(false);
            while (true)
            {
                await RepairAsync(stoppingToken).ConfigureAwait(false);
                await _repair.WaitAsync(stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        var connection = await ConnectionMultiplexer.ConnectAsync(_settings).WaitAsync(cancellationToken).ConfigureAwait(false);
        connection.ConnectionFailed += (_, failure) =>
        {
            Log.Disconnected(_logger, failure.ConnectionType, failure.FailureType);
            _lost = true;
        };
        connection.ConnectionRestored += (_, restored) =>
        {
            Log.Reconnected(_logger, restored.ConnectionType);
            _repair.Release();
        };
        _connection = connection;
    }

    /// <summary>Steps 3 and 4; ends when everything is in order.</summary>
    private async Task RepairAsync(CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        while (!await TryRepairAsync().ConfigureAwait(false))
        {
            // Real time whatever the host's clock does: a network comes back when it does.
            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
            pause = pause * 2 < LastPause ? pause * 2 : LastPause;
        }

        _local.DeliverGap("");
    }

    private async Task<bool> TryRepairAsync()
    {
        if (_connection is not { IsConnected: true } connection)
            return false;

        var subscriber = connection.GetSubscriber();
        try
        {
            if (subscriber.SubscribedEndpoint(LostChannel) is null)
            {
                await subscriber.UnsubscribeAsync(LostChannel).ConfigureAwait(false);
                (await subscriber.SubscribeAsync(LostChannel).ConfigureAwait(false)).OnMessage(lost => _local.DeliverGap(lost.Message.ToString()));
            }

            if (!await _remote.RepairAsync().ConfigureAwait(false))
                return false;

            if (_lost)
            {
                _lost = false;
                try
                {
                    await subscriber.PublishAsync(LostChannel, RedisValue.EmptyString).ConfigureAwait(false);
                }
                catch
                {
                    _lost = true;
                    throw;
                }
            }

            return true;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return false;
        }
    }

    private void Receive(string topic, byte[]? frame)
    {
        if (RedisFrame.TryRead(topic, frame, out var sender, out var message) && sender != _sender)
            _local.Deliver(message);
    }

    private async ValueTask RemoveAsync(BusSubscription subscription)
    {
        _local.Remove(subscription);
        foreach (var topic in subscription.Topics)
            await _remote.RemoveAsync(topic).ConfigureAwait(false);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1401, Level = LogLevel.Warning, Message = "Redis is away ({Connection}: {Failure}); notifications between processes wait.")]
        public static partial void Disconnected(ILogger logger, ConnectionType connection, ConnectionFailureType failure);

        [LoggerMessage(EventId = 1402, Level = LogLevel.Information, Message = "Redis is back ({Connection}).")]
        public static partial void Reconnected(ILogger logger, ConnectionType connection);
    }
}
