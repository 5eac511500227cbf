using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace OpenWop.Micro.Storage;

/// <summary>
/// Shares a fixed number of shards between the instances of a service, so that each shard has at most one writer.
/// </summary>
/// <remarks>
/// The owning service's migrations create two tables:
/// <code>
/// CREATE TABLE shards (shard INTEGER PRIMARY KEY, owner TEXT, address TEXT, epoch BIGINT NOT NULL, expires_at BIGINT NOT NULL);
/// CREATE TABLE instances (owner TEXT PRIMARY KEY, address TEXT NOT NULL, expires_at BIGINT NOT NULL);
/// </code>
/// A round runs every quarter of the lease time, in one transaction:
/// <list type="number">
/// <item>Announce this instance and count the living ones; the fair share is the number of shards divided by that, rounded up.</item>
/// <item>Prolong all own leases by one statement. A lease that is ours here but not there has been taken over: it is lost. One that
/// is ours there but not here starts over with a new epoch.</item>
/// <item>Below the fair share: take free and expired shards. Each take-over adds one to the shard's epoch.</item>
/// <item>Above it: hand the excess over, one shard at a time through <see cref="ShardLeaseHandlers.Releasing"/>.</item>
/// </list>
/// An instance that cannot reach the database for a whole lease time considers its leases lost, because by then others may hold
/// them. An instance that was frozen and does not know it yet is stopped by <see cref="VerifyEpochsAsync"/>, which every append
/// runs in its own transaction: leases make takeover quick, epochs make it safe.
/// </remarks>
public sealed partial class ShardLeases : IAsyncDisposable
{
    private readonly Database database;
    private readonly ShardLeaseOptions options;
    private readonly ShardLeaseHandlers handlers;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stopped = new();
    private readonly SemaphoreSlim round = new(1);
    private readonly SemaphoreSlim wake = new(0, 1);
    private readonly HashSet<int> releasing = [];
    private ImmutableDictionary<int, long> held = ImmutableDictionary<int, long>.Empty;
    private ImmutableList<Task> handOvers = [];
    private Task loop = Task.CompletedTask;
    private long confirmedAt;
    private volatile bool draining;
    private bool disposed;

    public ShardLeases(
        Database database, ShardLeaseOptions options, ShardLeaseHandlers handlers, TimeProvider time, ILogger<ShardLeases>? logger = null)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(handlers);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ShardCount, 1);
        this.database = database;
        this.options = options;
        this.handlers = handlers;
        this.time = time;
        this.logger = logger ?? NullLogger<ShardLeases>.Instance;
    }

    /// <summary>Shards held now, with their epochs.</summary>
    public IReadOnlyDictionary<int, long> Held => held;

    /// <summary>The epoch of a shard if this instance holds it.</summary>
    public bool TryGetEpoch(int shard, out long epoch) => held.TryGetValue(shard, out epoch);

    /// <summary>
    /// True when every shard still has the epoch that the caller acquired it with. Call it in the transaction of each
    /// append, and refuse the append otherwise. On PostgreSQL the rows stay share-locked, so no takeover can slip in before the commit.
    /// </summary>
    public static async Task<bool> VerifyEpochsAsync(WriteSession session, IEnumerable<ShardLease> leases)
    {
        ArgumentNullException.ThrowIfNull(session);
        var expected = new Dictionary<int, long>();
        foreach (var lease in leases)
        {
            if (!expected.TryAdd(lease.Shard, lease.Epoch) && expected[lease.Shard] != lease.Epoch)
                return false;
        }

        var current = await ShardTables.ReadEpochsAsync(session, [.. expected.Keys]).ConfigureAwait(false);
        return current.Count == expected.Count && current.TrueForAll(lease => expected[lease.Shard] == lease.Epoch);
    }

    /// <summary>Who holds a shard according to the database; null when nobody does.</summary>
    public async Task<ShardOwner?> FindOwnerAsync(int shard, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken).ConfigureAwait(false);
        return await ShardTables.FindOwnerAsync(session, shard, time).ConfigureAwait(false);
    }

    /// <summary>Creates missing shard rows, runs the first round and starts the heartbeat.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await database.WriteAsync(session => ShardTables.EnsureShardsAsync(session, options.ShardCount), cancellationToken).ConfigureAwait(false);
        confirmedAt = time.GetTimestamp();
        await RunRoundAsync(first: true, cancellationToken).ConfigureAwait(false);
        loop = Task.Run(LoopAsync, CancellationToken.None);
    }

    /// <summary>Runs a round soon, for callers that heard of shards becoming free.</summary>
    public void Wake()
    {
        try
        {
            wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // Awake already.
        }
    }

    /// <summary>
    /// Hands all shards over: <see cref="ShardLeaseHandlers.Releasing"/> for each (heartbeats go on meanwhile), then frees them
    /// in the database, where others find them at once instead of after a lease time.
    /// </summary>
    public async Task StopAsync()
    {
        if (draining)
            return;

        // Not in the middle of a round, which might still acquire.
        await round.WaitAsync().ConfigureAwait(false);
        draining = true;
        round.Release();
        foreach (var (shard, epoch) in held)
            BeginHandOver(new ShardLease(shard, epoch));

        await Task.WhenAll(handOvers).ConfigureAwait(false);
        await stopped.CancelAsync().ConfigureAwait(false);
        await loop.ConfigureAwait(false);
        try
        {
            await database.WriteAsync(session => ShardTables.ReleaseAllAsync(session, options.Owner), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // They expire by themselves.
            Log.ReleaseFailed(logger, exception);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (disposed)
            return;

        disposed = true;
        await StopAsync().ConfigureAwait(false);
        stopped.Dispose();
        round.Dispose();
        wake.Dispose();
    }

    /// <summary>Runs one round now; the heartbeat loop does the same by itself.</summary>
    internal Task RunRoundAsync(CancellationToken cancellationToken) => RunRoundAsync(first: false, cancellationToken);

    private async Task LoopAsync()
    {
        // Own timer instead of PeriodicTimer: a wake-up may come first.
        using var timer = time.CreateTimer(_ => Wake(), null, options.Duration / 4, options.Duration / 4);
        try
        {
            while (true)
            {
                await wake.WaitAsync(stopped.Token).ConfigureAwait(false);
                await RunRoundAsync(first: false, stopped.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stopped.IsCancellationRequested)
        {
        }
    }

    private async Task RunRoundAsync(bool first, CancellationToken cancellationToken)
    {
        await round.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var startedAt = time.GetTimestamp();
            using var limit = new CancellationTokenSource(options.Duration / 2, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            var outcome = await database.WriteAsync(session => RoundAsync(session, first), either.Token).ConfigureAwait(false);
            confirmedAt = startedAt;
            Settle(outcome);
        }
        catch (Exception exception) when (!first && !cancellationToken.IsCancellationRequested)
        {
            Log.RoundFailed(logger, exception);
            if (time.GetElapsedTime(confirmedAt) >= options.Duration)
                LoseAll();
        }
        finally
        {
            round.Release();
        }
    }

    private async Task<RoundOutcome> RoundAsync(WriteSession session, bool first)
    {
        // 1. Announce and count.
        var now = await ShardTables.NowAsync(session, time).ConfigureAwait(false);
        var expiresAt = now + (long)options.Duration.TotalMilliseconds;
        await ShardTables.AnnounceAsync(session, options.Owner, options.Address, expiresAt).ConfigureAwait(false);
        var deadSince = first && options.Exclusive ? long.MaxValue : now;
        var instances = await ShardTables.CountInstancesAsync(session, options.Owner, deadSince).ConfigureAwait(false);
        var share = (options.ShardCount + instances - 1) / instances;

        // 2. Prolong.
        var kept = await ShardTables.HeartbeatAsync(session, options.Owner, expiresAt).ConfigureAwait(false);
        for (var i = 0; i < kept.Count; i++)
        {
            // Given up for lost, or taken by a round whose commit was never confirmed.
            if (!held.ContainsKey(kept[i].Shard))
                kept[i] = await ShardTables.RenewEpochAsync(session, options.Owner, kept[i].Shard).ConfigureAwait(false);
        }

        // 3. Take more.
        if (draining || kept.Count >= share)
            return new RoundOutcome(kept, [], share);

        var taken = await ShardTables.AcquireAsync(session, options.Owner, options.Address, deadSince, expiresAt, share - kept.Count)
            .ConfigureAwait(false);
        return new RoundOutcome(kept, taken, share);
    }

    /// <summary>Brings memory in line with a committed round and tells the handlers.</summary>
    private void Settle(RoundOutcome outcome)
    {
        var before = held;
        held = outcome.Kept.Concat(outcome.Taken).ToImmutableDictionary(lease => lease.Shard, lease => lease.Epoch);
        foreach (var (shard, epoch) in before)
        {
            if (!held.TryGetValue(shard, out var current) || current != epoch)
                Lose(new ShardLease(shard, epoch));
        }

        foreach (var (shard, epoch) in held)
        {
            if (!before.TryGetValue(shard, out var previous) || previous != epoch)
                Acquire(new ShardLease(shard, epoch));
        }

        // 4. Give the excess away.
        var excess = draining ? 0 : held.Count - outcome.Share;
        foreach (var (shard, epoch) in held.OrderByDescending(lease => lease.Key).Take(Math.Max(0, excess)))
            BeginHandOver(new ShardLease(shard, epoch));
    }

    private void LoseAll()
    {
        var before = held;
        held = held.Clear();
        foreach (var (shard, epoch) in before)
            Lose(new ShardLease(shard, epoch));
    }

    private void Acquire(ShardLease lease)
    {
        Log.Acquired(logger, lease.Shard, lease.Epoch);
        Tell(handlers.Acquired, lease);
    }

    private void Lose(ShardLease lease)
    {
        Log.Lost(logger, lease.Shard, lease.Epoch);
        Tell(handlers.Lost, lease);
    }

    private void Tell(Action<ShardLease> handler, ShardLease lease)
    {
        try
        {
            handler(lease);
        }
        catch (Exception exception)
        {
            // One shard's trouble must not stop the heartbeat of the others.
            Log.HandlerFailed(logger, lease.Shard, exception);
        }
    }

    private void BeginHandOver(ShardLease lease)
    {
        lock (releasing)
        {
            if (!releasing.Add(lease.Shard))
                return;

            handOvers = handOvers.RemoveAll(task => task.IsCompleted).Add(Task.Run(() => HandOverAsync(lease)));
        }
    }

    private async Task HandOverAsync(ShardLease lease)
    {
        try
        {
            await handlers.Releasing(lease).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Log.HandlerFailed(logger, lease.Shard, exception);
        }

        // Between rounds, so that a round never mistakes the release for a loss.
        await round.WaitAsync().ConfigureAwait(false);
        try
        {
            await database.WriteAsync(session => ShardTables.ReleaseAsync(session, options.Owner, lease), CancellationToken.None).ConfigureAwait(false);
            held = held.Remove(lease.Shard);
            Log.Released(logger, lease.Shard, lease.Epoch);
        }
        catch (Exception exception)
        {
            Log.ReleaseFailed(logger, exception);
        }
        finally
        {
            round.Release();
            lock (releasing)
                releasing.Remove(lease.Shard);
        }
    }

    private sealed record RoundOutcome(List<ShardLease> Kept, List<ShardLease> Taken, int Share);

    private static partial class Log
    {
        [LoggerMessage(EventId = 1201, Level = LogLevel.Debug, Message = "Acquired shard {Shard} with epoch {Epoch}.")]
        public static partial void Acquired(ILogger logger, int shard, long epoch);

        [LoggerMessage(EventId = 1202, Level = LogLevel.Warning, Message = "Lost shard {Shard} with epoch {Epoch}.")]
        public static partial void Lost(ILogger logger, int shard, long epoch);

        [LoggerMessage(EventId = 1203, Level = LogLevel.Debug, Message = "Handed shard {Shard} with epoch {Epoch} over.")]
        public static partial void Released(ILogger logger, int shard, long epoch);

        [LoggerMessage(EventId = 1204, Level = LogLevel.Error, Message = "A round of the shard leases failed.")]
        public static partial void RoundFailed(ILogger logger, Exception exception);

        [LoggerMessage(EventId = 1205, Level = LogLevel.Error, Message = "A lease handler failed for shard {Shard}.")]
        public static partial void HandlerFailed(ILogger logger, int shard, Exception exception);

        [LoggerMessage(EventId = 1206, Level = LogLevel.Warning, Message = "Releasing shards failed; their leases expire by themselves.")]
        public static partial void ReleaseFailed(ILogger logger, Exception exception);
    }
}
