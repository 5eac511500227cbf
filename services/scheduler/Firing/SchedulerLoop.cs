using System.Collections.Concurrent;
using System.Threading.Channels;
using OpenWop.Micro.Events;
using OpenWop.Micro.Scheduler.Schedules;
using OpenWop.Micro.Scheduler.Store;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Scheduler.Firing;

/// <summary>
/// Fires schedules by itself. The schedules are cut into parts, and each part is looked after by one instance at a time.
/// </summary>
/// <remarks>
/// <list type="number">
/// <item>A part is acquired: what it fires within the next minutes goes into the queue, and slots that somebody has claimed and not made
/// into runs are taken up.</item>
/// <item>Every half window the queue is filled with what comes near; changes are told by <see cref="ScheduleChanges"/>.</item>
/// <item>The queue's timer says what is due, <see cref="Firer"/> claims it, and the queue gets the next time of each.</item>
/// <item>Every few seconds a look at what should have happened and did not: claimed slots whose claimer is gone, schedules whose message
/// was lost. The look costs an index probe per part.</item>
/// </list>
/// That a part has one owner saves work and nothing more: two that fire the same schedule get one claim between them, so leases need
/// no fencing here.
/// </remarks>
internal sealed partial class SchedulerLoop : BackgroundService
{
    /// <summary>Parts of the schedules; fixed for the life of a database.</summary>
    public const int Parts = 16;

    private const int BatchSize = 256;
    private const int MaxTakenUp = 500;

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Overdue = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<int, DateTimeOffset> _filledUntil = new();
    private readonly Channel<string> _due;
    private readonly DueQueue _queue;
    private readonly Firer _firer;
    private readonly RunMaker _maker;
    private readonly ScheduleStore _schedules;
    private readonly FireStore _fires;
    private readonly IEventBus _bus;
    private readonly ShardLeases _leases;
    private readonly TimeProvider _time;
    private readonly ILogger<SchedulerLoop> _logger;

    public SchedulerLoop(
        [FromKeyedServices("scheduler")] Database database,
        DueSchedules due,
        Firer firer,
        RunMaker maker,
        ScheduleStore schedules,
        FireStore fires,
        IEventBus bus,
        ShardLeaseOptions options,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        (_due, _queue) = (due.Channel, due.Queue);
        (_firer, _maker, _schedules, _fires, _bus, _time) = (firer, maker, schedules, fires, bus, time);
        _logger = loggers.CreateLogger<SchedulerLoop>();
        _leases = new ShardLeases(
            database,
            options,
            new ShardLeaseHandlers
            {
                Acquired = lease => _ = TakeOverAsync(lease.Shard),
                Releasing = lease => Leave(lease.Shard),
                Lost = lease => _ = Leave(lease.Shard),
            },
            time,
            loggers.CreateLogger<ShardLeases>());
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await _leases.StartAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await _leases.StopAsync();
        await _maker.StopAsync(StopPatience);
    }

    public override void Dispose()
    {
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(FireAsync(stoppingToken), ListenAsync(stoppingToken), LookAsync(stoppingToken));

    /// <summary>3. What is due, in batches: while one is claimed the next gathers.</summary>
    private async Task FireAsync(CancellationToken stoppingToken)
    {
        while (await WaitAsync(_due.Reader, stoppingToken))
        {
            var batch = new HashSet<string>(StringComparer.Ordinal);
            while (batch.Count < BatchSize && _due.Reader.TryRead(out var uid))
                batch.Add(uid);

            try
            {
                foreach (var (uid, lookAgainAt) in await _firer.FireAsync(batch, stoppingToken))
                {
                    if (_filledUntil.ContainsKey(Schedule.PartitionOf(uid)))
                        _queue.Set(uid, lookAgainAt);
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Nothing was claimed; step 4 finds them overdue.
                Log.FiringFailed(_logger, exception, batch.Count);
            }
        }
    }

    /// <summary>2. Changes that other instances have stored.</summary>
    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        try
        {
            await using var changes = await _bus.SubscribeAsync(ScheduleChanges.Topic, stoppingToken);
            await foreach (var message in changes.ReadAllAsync(stoppingToken))
            {
                if (message.IsGap)
                    continue;

                var (uid, nextFireAt) = ScheduleChanges.Read(message);
                if (_filledUntil.ContainsKey(Schedule.PartitionOf(uid)))
                    _queue.Set(uid, nextFireAt);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>2. and 4.</summary>
    private async Task LookAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Look, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                foreach (var part in _filledUntil.Keys)
                {
                    await LookAfterAsync(part, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>1.</summary>
    private async Task TakeOverAsync(int part)
    {
        _filledUntil[part] = DateTimeOffset.MinValue;
        try
        {
            await FillAsync(part, CancellationToken.None);

            // Whoever has claimed them is most likely gone.
            await TakeUpAsync(part, _time.GetUtcNow() + FireStore.Patience + FireStore.Patience, CancellationToken.None);
        }
        catch (Exception exception)
        {
            Log.PartFailed(_logger, exception, part);
        }
    }

    private Task Leave(int part)
    {
        _filledUntil.TryRemove(part, out _);
        _queue.RemoveWhere(uid => Schedule.PartitionOf(uid) == part);
        return Task.CompletedTask;
    }

    private async Task LookAfterAsync(int part, CancellationToken cancellationToken)
    {
        try
        {
            var now = _time.GetUtcNow();
            if (_filledUntil.TryGetValue(part, out var until) && until < now + (DueQueue.Window / 2))
                await FillAsync(part, cancellationToken);

            foreach (var (uid, _) in await _fires.UpcomingAsync(part, DateTimeOffset.UnixEpoch, now - Overdue, cancellationToken))
                _due.Writer.TryWrite(uid);

            await TakeUpAsync(part, now, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.PartFailed(_logger, exception, part);
        }
    }

    private async Task FillAsync(int part, CancellationToken cancellationToken)
    {
        if (!_filledUntil.TryGetValue(part, out var from))
            return;

        var until = _time.GetUtcNow() + DueQueue.Window;
        var after = from > DateTimeOffset.UnixEpoch ? from : DateTimeOffset.UnixEpoch;
        foreach (var (uid, at) in await _fires.UpcomingAsync(part, after, until, cancellationToken))
            _queue.Set(uid, at);

        _filledUntil.TryUpdate(part, until, from);
    }

    /// <summary>Makes the runs of slots whose claimer has not.</summary>
    private async Task TakeUpAsync(int part, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var left = (await _fires.ToMakeAsync(part, until, MaxTakenUp, cancellationToken)).Where(fire => !_maker.IsUnderWay(fire)).ToList();
        if (left.Count == 0)
            return;

        Log.TakenUp(_logger, part, left.Count);
        var found = await _schedules.FindAsync([.. left.Select(fire => fire.Uid).Distinct(StringComparer.Ordinal)], cancellationToken);
        var byUid = found.ToDictionary(schedule => schedule.Uid, StringComparer.Ordinal);
        foreach (var slots in left.GroupBy(fire => fire.Uid, StringComparer.Ordinal))
        {
            if (byUid.TryGetValue(slots.Key, out var schedule))
                _maker.Begin(schedule, [.. slots.OrderBy(fire => fire.Slot)]);
        }
    }

    private static async Task<bool> WaitAsync(ChannelReader<string> reader, CancellationToken stoppingToken)
    {
        try
        {
            return await reader.WaitToReadAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 3101, Level = LogLevel.Error, Message = "{Count} due schedules could not be claimed; they are looked at again.")]
        public static partial void FiringFailed(ILogger logger, Exception exception, int count);

        [LoggerMessage(EventId = 3102, Level = LogLevel.Error, Message = "Part {Part}: its schedules could not be read.")]
        public static partial void PartFailed(ILogger logger, Exception exception, int part);

        [LoggerMessage(EventId = 3103, Level = LogLevel.Information, Message = "Part {Part}: {Count} slots that were claimed and not made into runs are taken up.")]
        public static partial void TakenUp(ILogger logger, int part, int count);
    }
}

/// <summary>The queue, and the channel into which its timer puts what is due.</summary>
internal sealed class DueSchedules : IDisposable
{
    public DueSchedules(TimeProvider time)
    {
        Channel = System.Threading.Channels.Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
        Queue = new DueQueue(time, due =>
        {
            foreach (var uid in due)
                Channel.Writer.TryWrite(uid);
        });
    }

    /// <summary>No longer than the queue was: a schedule is in it once.</summary>
    public Channel<string> Channel { get; }

    public DueQueue Queue { get; }

    public void Dispose() => Queue.Dispose();
}
