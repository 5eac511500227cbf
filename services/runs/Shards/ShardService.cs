using System.Collections.Concurrent;
using OpenWop.Micro.Events;
using OpenWop.Micro.Runs.Forwarding;
using OpenWop.Micro.Runs.Interrupts;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Signals;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Runs.Streaming;
using OpenWop.Micro.Runs.Timers;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Shards;

/// <summary>
/// Takes part in sharing the shards and brings acquired ones to life:
/// <list type="number">
/// <item>when the process listens and can be called by the others, it takes its share, and tells the others, who give up what they have
/// too much;</item>
/// <item>a shard is acquired under a new epoch; from now on nobody else can append to its runs. Its last owner may have died after a commit
/// and before anybody heard of it, so that all who follow its runs are told to look into the log;</item>
/// <item>its runs with attempts in flight are loaded and go on; what is due in the next minutes is scheduled, signals that wait are
/// delivered. A failure is tried again as long as the shard is ours;</item>
/// <item>the same every half window, for whatever got lost on the way;</item>
/// <item>on hand-over or loss its mailboxes are stopped; the log is all the next owner needs. Shutting down hands everything over while the
/// process still takes calls, which it forwards to the new owners.</item>
/// </list>
/// </summary>
internal sealed partial class ShardService : BackgroundService, IHostedLifecycleService
{
    /// <summary>Shards of a database; fixed for its life.</summary>
    public const int ShardCount = 16;

    private const int PageSize = 1000;
    private const string ChangesTopic = "shards";

    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    private readonly Database database;
    private readonly OwnedShards owned;
    private readonly RunRegistry registry;
    private readonly RunStore store;
    private readonly WakeUps wakeUps;
    private readonly SignalDelivery signals;
    private readonly InterruptTokens tokens;
    private readonly LeaseSettings settings;
    private readonly InstanceAddress address;
    private readonly IEventBus bus;
    private readonly TimeProvider clock;
    private readonly ILoggerFactory loggers;
    private readonly ILogger<ShardService> logger;
    private readonly ConcurrentDictionary<Task, bool> work = new();
    private ShardLeases? leases;

    public ShardService(
        Database database, OwnedShards owned, RunRegistry registry, RunStore store, WakeUps wakeUps, SignalDelivery signals, InterruptTokens tokens, LeaseSettings settings, InstanceAddress address, IEventBus bus, TimeProvider clock, ILoggerFactory loggers)
    {
        this.database = database;
        this.owned = owned;
        this.registry = registry;
        this.store = store;
        this.wakeUps = wakeUps;
        this.signals = signals;
        this.tokens = tokens;
        this.settings = settings;
        this.address = address;
        this.bus = bus;
        this.clock = clock;
        this.loggers = loggers;
        logger = loggers.CreateLogger<ShardService>();
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await tokens.LoadAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>1. Only now the address is known under which others reach this process.</summary>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        leases = new ShardLeases(
            database,
            settings.Options(address.Find()),
            new ShardLeaseHandlers
            {
                Acquired = Acquired,
                Releasing = lease => LeaveAsync(lease.Shard),
                Released = _ => TellOthers(),
                Lost = lease => Own(LeaveAsync(lease.Shard)),
                Confirmed = Confirmed,
            },
            clock,
            loggers.CreateLogger<ShardLeases>());
        owned.ConfirmBy(() => leases.IsConfirmed);
        await leases.StartAsync(cancellationToken);
        TellOthers();
    }

    /// <summary>5. While the process still listens, if there may be somebody to hand over to.</summary>
    public Task StoppingAsync(CancellationToken cancellationToken) => settings.Exclusive ? Task.CompletedTask : HandOverAsync();

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await HandOverAsync();
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(ReviewAsync(stoppingToken), ListenAsync(stoppingToken));

    /// <summary>4.</summary>
    private async Task ReviewAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(WakeUps.Window / 2, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var shard in owned.All)
                await TryEnliveAsync(shard);
        }
    }

    /// <summary>Shards have become free, or there is somebody new to share with.</summary>
    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        await using var changes = await bus.SubscribeAsync(ChangesTopic, stoppingToken);
        await foreach (var _ in changes.ReadAllAsync(stoppingToken))
            leases?.Wake();
    }

    private void TellOthers() => bus.Publish(new BusMessage(ChangesTopic, clock.GetTimestamp(), ReadOnlyMemory<byte>.Empty));

    /// <summary>Before anything is acquired in the same round.</summary>
    private void Confirmed(ShardLeases confirmed)
    {
        // On SQLite the database has no clock of its own.
        if (clock is ClusterClock cluster && database.Dialect == SqlDialect.PostgreSql && cluster.Measured(confirmed.ClockOffset + cluster.Offset))
            Log.ClockDiffers(logger, cluster.Offset.TotalMilliseconds);
    }

    /// <summary>2. and 3.</summary>
    private void Acquired(ShardLease lease)
    {
        owned.Add(lease.Shard, lease.Epoch);
        bus.PublishGap(RunTopic.OfShard(lease.Shard));
        bus.PublishGap(SignalDelivery.TopicPrefix);
        Own(Task.Run(() => EnliveAsync(lease)));
    }

    private async Task EnliveAsync(ShardLease lease)
    {
        while (owned.EpochOf(lease.Shard) == lease.Epoch && !await TryEnliveAsync(lease.Shard))
            await Task.Delay(RetryPause, clock);
    }

    private async Task<bool> TryEnliveAsync(int shard)
    {
        try
        {
            if (await WakeActiveAsync(shard) is > 0 and var loaded)
                Log.Recovered(logger, shard, loaded);

            foreach (var (runId, dueAt) in await store.DueRunsAsync(shard, clock.GetUtcNow() + WakeUps.Window, int.MaxValue, CancellationToken.None))
                wakeUps.Refill(runId, dueAt);

            await signals.DeliverAsync(shard, CancellationToken.None);
            return true;
        }
        catch (Exception exception)
        {
            Log.EnliveFailed(logger, exception, shard);
            return false;
        }
    }

    /// <summary>Wakes the runs with attempts in flight that nobody has in memory; returns how many.</summary>
    private async Task<int> WakeActiveAsync(int shard)
    {
        var woken = 0;
        var last = "";
        while (await store.ActiveRunsAsync(shard, last, PageSize, CancellationToken.None) is { Count: > 0 } page)
        {
            foreach (var runId in page.Where(runId => registry.StateOf(runId) is null))
            {
                registry.Wake(runId);
                woken++;
            }

            last = page[^1];
        }

        return woken;
    }

    private Task LeaveAsync(int shard)
    {
        owned.Remove(shard);
        return registry.StopAsync(shard);
    }

    private async Task HandOverAsync()
    {
        if (leases is not null)
            await leases.StopAsync();

        await registry.StopAsync(shard: null);
        await Task.WhenAll(work.Keys);
    }

    /// <summary>Keeps work that nobody waits for until it is done.</summary>
    private void Own(Task task)
    {
        work[task] = true;
        _ = task.ContinueWith(done => work.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "Shard {Shard}: {Runs} unfinished runs go on")]
        public static partial void Recovered(ILogger logger, int shard, int runs);

        [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "Shard {Shard}: unfinished runs, due times and signals could not be read")]
        public static partial void EnliveFailed(ILogger logger, Exception exception, int shard);

        [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "The clock of this machine is off by {Milliseconds} ms from the database's, which is used instead")]
        public static partial void ClockDiffers(ILogger logger, double milliseconds);
    }
}
