using OpenWop.Micro.Runs.Memory;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Runs.Store;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Retention;

/// <summary>
/// Removes finished runs of the shards that this instance owns when their time has come: copied first if there is an archive, then
/// removed in small batches, so that no commit of a living run waits long. Dying in the middle costs nothing: what was copied and not
/// removed is removed the next time. Entries of memory that have expired go with every pass, on whatever instance.
/// </summary>
internal sealed partial class RetentionService(
    RetentionStore retention, RunStore runs, MemoryStore memory, OwnedShards owned, RetentionOptions options, TimeProvider clock, ILogger<RetentionService> logger) : BackgroundService
{
    /// <summary>Runs per transaction.</summary>
    private const int BatchSize = 50;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly RunArchive? archive = options.ArchiveFolder is { } folder ? new RunArchive(runs, folder) : null;

    /// <summary>One pass over all owned shards.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        while (await memory.PurgeAsync(BatchSize, cancellationToken) == BatchSize)
        {
        }

        if (options.Age is not { } age)
        {
            return;
        }

        var now = clock.GetUtcNow();
        foreach (var shard in owned.Leases)
        {
            var expired = await ExpireAsync(shard, now - age, now, cancellationToken);
            if (expired > 0)
            {
                Log.Expired(logger, expired, shard.Shard);
            }

            while (await retention.ForgetAsync(shard, now - options.TombstoneAge, BatchSize, cancellationToken) == BatchSize)
            {
            }
        }

        while (await retention.ForgetRequestsAsync(now - age, BatchSize, cancellationToken) == BatchSize)
        {
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SweepAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // The store or the archive is in trouble: nothing was removed that was not copied, and the next pass tries again.
                Log.Failed(logger, exception);
            }
        }
    }

    private async Task<int> ExpireAsync(ShardLease shard, DateTimeOffset before, DateTimeOffset now, CancellationToken cancellationToken)
    {
        for (var total = 0; ;)
        {
            var ended = await retention.FindEndedAsync(shard.Shard, before, BatchSize, cancellationToken);
            if (ended.Count == 0)
            {
                return total;
            }

            if (archive is not null)
            {
                foreach (var (runId, tenant) in ended)
                {
                    await archive.WriteAsync(runId, tenant, cancellationToken);
                }
            }

            if (!await retention.ExpireAsync(shard, [.. ended.Select(run => run.RunId)], now, cancellationToken))
            {
                return total;
            }

            total += ended.Count;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Removed {Count} finished runs of shard {Shard}")]
        public static partial void Expired(ILogger logger, int count, int shard);

        [LoggerMessage(2, LogLevel.Warning, "Removing finished runs failed and is tried again in a minute")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
