using OpenWop.Micro.Runs.Interrupts;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Signals;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Runs.Timers;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Shards;

/// <summary>
/// Takes part in sharing the shards and brings acquired ones to life:
/// <list type="number">
/// <item>a shard is acquired under a new epoch; from now on nobody else can append to its runs;</item>
/// <item>its runs with attempts in flight are loaded and go on;</item>
/// <item>what is due in the next minutes is scheduled, signals that wait are delivered, and both again every half window;</item>
/// <item>on hand-over or loss its mailboxes are stopped; the log is all the next owner needs.</item>
/// </list>
/// </summary>
internal sealed partial class ShardService : BackgroundService
{
    /// <summary>Shards of a database; fixed for its life.</summary>
    public const int ShardCount = 16;

    private const int PageSize = 1000;

    private readonly Database database;
    private readonly OwnedShards owned;
    private readonly RunRegistry registry;
    private readonly RunStore store;
    private readonly WakeUps wakeUps;
    private readonly SignalDelivery signals;
    private readonly InterruptTokens tokens;
    private readonly ShardLeases leases;
    private readonly TimeProvider clock;
    private readonly ILogger<ShardService> logger;

    public ShardService(
        Database database, OwnedShards owned, RunRegistry registry, RunStore store, WakeUps wakeUps, SignalDelivery signals, InterruptTokens tokens, ShardLeaseOptions options, TimeProvider clock, ILoggerFactory loggers)
    {
        this.owned = owned;
        this.registry = registry;
        this.store = store;
        this.wakeUps = wakeUps;
        this.signals = signals;
        this.tokens = tokens;
        this.clock = clock;
        this.database = database;
        logger = loggers.CreateLogger<ShardService>();
        leases = new ShardLeases(
            database,
            options,
            new ShardLeaseHandlers
            {
                Acquired = lease => _ = TakeOverAsync(lease),
                Releasing = lease => LeaveAsync(lease.Shard),
                Lost = lease => _ = LeaveAsync(lease.Shard),
            },
            clock,
            loggers.CreateLogger<ShardLeases>());
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await Migrations.ApplyAsync(database, typeof(ShardService).Assembly, cancellationToken);
        await tokens.LoadAsync(cancellationToken);
        await leases.StartAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await leases.StopAsync();
        await registry.StopAsync(shard: null);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(WakeUps.Window / 2, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var shard in owned.All)
            {
                await ScheduleAsync(shard);
            }
        }
    }

    private async Task TakeOverAsync(ShardLease lease)
    {
        owned.Add(lease.Shard, lease.Epoch);
        try
        {
            var loaded = 0;
            for (var page = await store.ActiveRunsAsync(lease.Shard, "", PageSize, CancellationToken.None); page.Count > 0;)
            {
                foreach (var runId in page)
                {
                    registry.Wake(runId);
                }

                loaded += page.Count;
                page = await store.ActiveRunsAsync(lease.Shard, page[^1], PageSize, CancellationToken.None);
            }

            await ScheduleAsync(lease.Shard);
            if (loaded > 0)
            {
                Log.Recovered(logger, lease.Shard, lease.Epoch, loaded);
            }
        }
        catch (Exception exception)
        {
            Log.TakeOverFailed(logger, exception, lease.Shard);
        }
    }

    private Task LeaveAsync(int shard)
    {
        owned.Remove(shard);
        return registry.StopAsync(shard);
    }

    private async Task ScheduleAsync(int shard)
    {
        try
        {
            var due = await store.DueRunsAsync(shard, clock.GetUtcNow() + WakeUps.Window, int.MaxValue, CancellationToken.None);
            foreach (var (runId, dueAt) in due)
            {
                wakeUps.Set(runId, dueAt);
            }

            await signals.DeliverAsync(shard, CancellationToken.None);
        }
        catch (Exception exception)
        {
            Log.ScheduleFailed(logger, exception, shard);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "Shard {Shard} (epoch {Epoch}): {Runs} unfinished runs go on")]
        public static partial void Recovered(ILogger logger, int shard, long epoch, int runs);

        [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "Shard {Shard}: unfinished runs could not be read")]
        public static partial void TakeOverFailed(ILogger logger, Exception exception, int shard);

        [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "Shard {Shard}: due runs and signals could not be read")]
        public static partial void ScheduleFailed(ILogger logger, Exception exception, int shard);
    }
}
