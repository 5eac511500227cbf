using System.Collections.Concurrent;
using OpenWop.Micro.Contracts.Runs.V1;
using OpenWop.Micro.Events;
using OpenWop.Micro.Storage;
using OpenWop.Micro.Webhooks.Delivery;
using OpenWop.Micro.Webhooks.Triggers;

namespace OpenWop.Micro.Webhooks.Intake;

/// <summary>
/// Follows the feed of runs. Its shards are shared among the workers by leases, and each has a cursor in the database.
/// </summary>
/// <remarks>
/// <list type="number">
/// <item>The number of shards is asked for, as long as it takes; then leases are taken. That a shard has one follower saves work and
/// nothing more: the cursor moves by compare and set, so of two followers one writes.</item>
/// <item>A page is read after the cursor. While nobody has a subscription or a trigger nothing is read; and what lies before the first
/// one is skipped.</item>
/// <item>Deliveries, firings and cursor are written together, and those who send and start are told.</item>
/// <item>At the end of the feed the follower waits: for the bell of its shard, a new subscription, a gap on the bus, or at the latest for
/// the next look.</item>
/// </list>
/// </remarks>
internal sealed partial class FeedFollower : BackgroundService
{
    /// <summary>Topic that tells followers of new subscriptions and triggers.</summary>
    public const string SubscriptionsTopic = "webhooks/subscriptions";

    private const int PageSize = 500;
    private const string FeedTopic = "feed/";

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<int, Follow> followed = new();
    private readonly Database database;
    private readonly Feed.FeedClient feed;
    private readonly IntakeStore store;
    private readonly SetBackFeed setBack;
    private readonly Dispatcher dispatcher;
    private readonly RunStarter starter;
    private readonly WebhookOptions options;
    private readonly IEventBus bus;
    private readonly TimeProvider clock;
    private readonly ILoggerFactory loggers;
    private readonly ILogger<FeedFollower> logger;
    private ShardLeases? leases;

    public FeedFollower(
        [FromKeyedServices(WebhooksHosting.Service)] Database database, Feed.FeedClient feed, IntakeStore store, SetBackFeed setBack, Dispatcher dispatcher, RunStarter starter, WebhookOptions options, IEventBus bus, TimeProvider clock, ILoggerFactory loggers)
    {
        (this.database, this.feed, this.store, this.setBack, this.dispatcher, this.starter, this.options, this.bus, this.clock, this.loggers) =
            (database, feed, store, setBack, dispatcher, starter, options, bus, clock, loggers);
        logger = loggers.CreateLogger<FeedFollower>();
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (leases is not null)
            await leases.StopAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // 1.
        var shards = await CountShardsAsync(stoppingToken);
        leases = new ShardLeases(
            database,
            new ShardLeaseOptions
            {
                ShardCount = shards,
                Owner = $"{Environment.MachineName}-{Guid.NewGuid():N}",
                Address = "webhooks",
                Duration = options.Lease,
                Exclusive = database.Options.Exclusive,
            },
            new ShardLeaseHandlers
            {
                Acquired = lease => followed[lease.Shard] = new Follow(follow => FollowAsync(lease.Shard, follow)),
                Releasing = lease => LeaveAsync(lease.Shard),
                Lost = lease => _ = LeaveAsync(lease.Shard),
            },
            clock,
            loggers.CreateLogger<ShardLeases>());
        await StartLeasesAsync(leases, stoppingToken);
        await Task.WhenAll(ListenAsync(shards, stoppingToken), LookAsync(stoppingToken));
    }

    private async Task<int> CountShardsAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                return (await feed.GetHeadsAsync(new GetHeadsRequest(), cancellationToken: stoppingToken)).Positions.Count;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                Log.NoFeed(logger, exception.Message);
                await Task.Delay(Retry, clock, stoppingToken);
            }
        }
    }

    private async Task StartLeasesAsync(ShardLeases starting, CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                await starting.StartAsync(stoppingToken);
                return;
            }
            catch (Exception exception) when (DatabaseErrors.IsTemporary(exception) && !stoppingToken.IsCancellationRequested)
            {
                Log.NoFeed(logger, exception.Message);
                await Task.Delay(Retry, clock, stoppingToken);
            }
        }
    }

    /// <summary>4. What the bus brings.</summary>
    private async Task ListenAsync(int shards, CancellationToken stoppingToken)
    {
        await using var subscription = await bus.SubscribeAsync(
            [SubscriptionsTopic, .. Enumerable.Range(0, shards).Select(shard => $"{FeedTopic}{shard}")], IEventBus.DefaultCapacity, stoppingToken);
        await foreach (var message in subscription.ReadAllAsync(stoppingToken))
        {
            if (!message.IsGap && message.Topic.StartsWith(FeedTopic, StringComparison.Ordinal))
                followed.GetValueOrDefault(int.Parse(message.Topic.AsSpan(FeedTopic.Length), provider: null))?.Ring();
            else
                RingAll();
        }
    }

    /// <summary>4. What it does not.</summary>
    private async Task LookAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Look, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            RingAll();
    }

    private void RingAll()
    {
        foreach (var follow in followed.Values)
            follow.Ring();
    }

    private async Task LeaveAsync(int shard)
    {
        if (followed.TryRemove(shard, out var follow))
            await follow.DisposeAsync();
    }

    private async Task FollowAsync(int shard, Follow follow)
    {
        var isChecked = false;
        while (!follow.Stopped.IsCancellationRequested)
        {
            try
            {
                if (!isChecked)
                    await CheckAsync(shard, follow.Stopped);

                isChecked = true;
                await CatchUpAsync(shard, follow.Stopped);
                await follow.WaitAsync();
            }
            catch (Exception exception) when (!follow.Stopped.IsCancellationRequested)
            {
                Log.FollowFailed(logger, exception, shard);
                await Task.Delay(Retry, clock, follow.Stopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Whether the feed still reaches to where we have read it. Its end is looked at last, so that it cannot seem too near.</summary>
    private async Task CheckAsync(int shard, CancellationToken cancellationToken)
    {
        var known = Math.Max(
            await store.ReadCursorAsync(shard, cancellationToken), (await store.ReadInterestsAsync(cancellationToken)).LastNotedOf(shard));
        var head = (await feed.GetHeadsAsync(new GetHeadsRequest(), cancellationToken: cancellationToken)).Positions[shard];
        if (known <= head)
            return;

        Log.SetBack(logger, shard, head, known);
        await setBack.RepairAsync(shard, head, cancellationToken);
    }

    /// <summary>2. and 3., to the end of the feed.</summary>
    private async Task CatchUpAsync(int shard, CancellationToken cancellationToken)
    {
        var cursor = await store.ReadCursorAsync(shard, cancellationToken);
        while (await store.ReadInterestsAsync(cancellationToken) is { IsEmpty: false } interests)
        {
            var page = interests.StartOf(shard) is var start && start > cursor
                ? new ReadFeedReply { Position = start }
                : await feed.ReadFeedAsync(
                    new ReadFeedRequest { Shard = shard, AfterPosition = cursor, Limit = PageSize }, cancellationToken: cancellationToken);
            if (page.Position == cursor)
                return;

            if (await store.AdvanceAsync(shard, cursor, page, cancellationToken) is not { } written)
            {
                cursor = await store.ReadCursorAsync(shard, cancellationToken);
                continue;
            }

            cursor = page.Position;
            if (written.Deliveries > 0)
            {
                dispatcher.Wake();
                bus.Publish(new BusMessage(Dispatcher.Topic, cursor, ReadOnlyMemory<byte>.Empty));
            }

            if (written.Firings > 0)
            {
                starter.Wake();
                bus.Publish(new BusMessage(RunStarter.Topic, cursor, ReadOnlyMemory<byte>.Empty));
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The feed of runs cannot be followed yet ({Reason}); trying again")]
        public static partial void NoFeed(ILogger logger, string reason);

        [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "Shard {Shard} of the feed ends at {Head}, and has been read up to {Known}: the runs are older than this database, as after a restore without after-restore.sql. Deliveries go on from {Head}; events between the restore and now may be missing")]
        public static partial void SetBack(ILogger logger, int shard, long head, long known);

        [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "Shard {Shard} of the feed could not be followed; trying again")]
        public static partial void FollowFailed(ILogger logger, Exception exception, int shard);
    }
}
