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
/// A round runs with every heartbeat, in one transaction:
/// <list type="number">
/// <item>Announce this instance and count the living ones; the fair share is the number of shards divided by that, rounded up.
/// An instance that is on its way out is not counted any more.</item>
/// <item>Prolong all own leases by one statement. A lease that is ours here but not there has been taken over: it is lost. One that
/// is ours there but not here starts over with a new epoch.</item>
/// <item>Below the fair share: take free and expired shards. Each take-over adds one to the shard's epoch.</item>
/// <item>Above it: hand the excess over, one shard at a time through <see cref="ShardLeaseHandlers.Releasing"/>.</item>
/// </list>
/// A round also runs at the moment when the next lease of another instance runs out, so that the shards of a crashed instance stand
/// still for one lease time and no longer. A round that comes too late, as after a freeze, and finds that nobody has taken the leases
/// keeps their epochs and announces them anew: what was refused in between is to be done now.
/// An instance that cannot reach the database for a whole lease time considers its leases lost, because by then others may hold
/// them. An instance that was frozen and does not know it yet is stopped by <see cref="VerifyEpochsAsync"/>, which every append
/// runs in its own transaction: leases make takeover quick, epochs make it safe.
/// </remarks>
public sealed partial class ShardLeases : IAsyncDisposable
{
    /// <summary>Lets a heartbeat that is just in time win.</summary>
    private static readonly TimeSpan AfterExpiry = TimeSpan.FromMilliseconds(20);

    private readonly Database _database;
    private readonly ShardLeaseOptions _options;
    private readonly ShardLeaseHandlers _handlers;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopped = new();
    private readonly SemaphoreSlim _round = new(1);
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly HashSet<int> _releasing = [];
    private ImmutableDictionary<int, long> _held = ImmutableDictionary<int, long>.Empty;
    private ImmutableList<Task> _handOvers = [];
    private Task _loop = Task.CompletedTask;
    private long _confirmedAt;
    private long _clockOffset;
    private ITimer? _timer;
    private volatile bool _draining;
    private bool _disposed;

    public ShardLeases(
        Database database, ShardLeaseOptions options, ShardLeaseHandlers handlers, TimeProvider time, ILogger<ShardLeases>? logger = null)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(handlers);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ShardCount, 1);
        _database = database;
        _options = options;
        _handlers = handlers;
        _time = time;
        _logger = logger ?? NullLogger<ShardLeases>.Instance;
    }

    /// <summary>Shards held now, with their epochs.</summary>
    public IReadOnlyDictionary<int, long> Held => _held;

    /// <summary>
    /// Whether the database has confirmed the leases within the lease time, by a clock that also runs while the process is frozen.
    /// False means that others may hold the shards by now: nothing may be concluded from what is in memory.
    /// </summary>
    public bool IsConfirmed
    {
        get
        {
            // The clock first: whoever is told no has looked before the next confirmation, which then knows that somebody may have been.
            var now = _time.GetTimestamp();
            return IsWithinDuration(Volatile.Read(ref _confirmedAt), now);
        }
    }

    /// <summary>How far the database's clock is ahead of this instance's, as of the last round; zero where they are one.</summary>
    public TimeSpan ClockOffset => TimeSpan.FromMilliseconds(Volatile.Read(ref _clockOffset));

    private TimeSpan Period => _options.Heartbeat ?? _options.Duration / 4;

    /// <summary>The epoch of a shard if this instance holds it.</summary>
    public bool TryGetEpoch(int shard, out long epoch) => _held.TryGetValue(shard, out epoch);

    /// <summary>
    /// True when every shard still has the epoch that the caller acquired it with. Call it in the transaction of each
    /// append, and refuse the append otherwise. On PostgreSQL the rows stay locked, so no takeover can slip in before the commit.
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
    public Task<ShardOwner?> FindOwnerAsync(int shard, CancellationToken cancellationToken) =>
        FindOwnerAsync(_database, shard, _time, cancellationToken);

    /// <summary>The same for those who take no part in sharing the shards.</summary>
    public static async Task<ShardOwner?> FindOwnerAsync(Database database, int shard, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(time);
        await using var session = await database.OpenReadAsync(cancellationToken).ConfigureAwait(false);
        return await ShardTables.FindOwnerAsync(session, shard, time).ConfigureAwait(false);
    }

    /// <summary>Creates missing shard rows, runs the first round and starts the heartbeat.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _database.WriteAsync(session => ShardTables.EnsureShardsAsync(session, _options.ShardCount), cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref _confirmedAt, _time.GetTimestamp());
        await RunFirstRoundAsync(cancellationToken).ConfigureAwait(false);

        // Own timer instead of PeriodicTimer: a wake-up may come first, and the lease of another instance may run out before.
        _timer = _time.CreateTimer(_ => Wake(), null, Period, Period);
        _loop = Task.Run(LoopAsync, CancellationToken.None);
    }

    /// <summary>Runs a round soon, for callers that heard of shards becoming free.</summary>
    public void Wake()
    {
        try
        {
            _wake.Release();
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
        if (_draining)
            return;

        // Not in the middle of a round, which might still acquire.
        await _round.WaitAsync().ConfigureAwait(false);
        _draining = true;
        _round.Release();
        await WithdrawAsync().ConfigureAwait(false);
        foreach (var (shard, epoch) in _held)
            BeginHandOver(new ShardLease(shard, epoch));

        await Task.WhenAll(_handOvers).ConfigureAwait(false);
        await _stopped.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        if (_timer is not null)
            await _timer.DisposeAsync().ConfigureAwait(false);

        try
        {
            await _database.WriteAsync(session => ShardTables.ReleaseAllAsync(session, _options.Owner), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // They expire by themselves.
            Log.ReleaseFailed(_logger, exception);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;

        _disposed = true;
        await StopAsync().ConfigureAwait(false);
        _stopped.Dispose();
        _round.Dispose();
        _wake.Dispose();
    }

    /// <summary>Runs one round now; the heartbeat loop does the same by itself.</summary>
    internal Task RunRoundAsync(CancellationToken cancellationToken) => RunRoundAsync(first: false, cancellationToken);

    /// <summary>The others share the shards without this instance from now on.</summary>
    private async Task WithdrawAsync()
    {
        try
        {
            await _database.WriteAsync(session => ShardTables.WithdrawAsync(session, _options.Owner), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Log.ReleaseFailed(_logger, exception);
        }
    }

    private async Task LoopAsync()
    {
        try
        {
            while (true)
            {
                await _wake.WaitAsync(_stopped.Token).ConfigureAwait(false);
                await RunRoundAsync(first: false, _stopped.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
        {
        }
    }

    /// <summary>Somebody who is frozen in the middle of a round holds rows for a while: no reason for others not to start.</summary>
    private async Task RunFirstRoundAsync(CancellationToken cancellationToken)
    {
        for (var done = false; !done;)
        {
            try
            {
                await RunRoundAsync(first: true, cancellationToken).ConfigureAwait(false);
                done = true;
            }
            catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
            {
                Log.RoundFailed(_logger, exception);
            }
        }
    }

    private async Task RunRoundAsync(bool first, CancellationToken cancellationToken)
    {
        await _round.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var startedAt = _time.GetTimestamp();
            using var limit = new CancellationTokenSource(_options.Duration / 2, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            var outcome = await _database.WriteAsync(session => RoundAsync(session, first), either.Token).ConfigureAwait(false);
            var lapsed = !IsWithinDuration(Interlocked.Exchange(ref _confirmedAt, startedAt), _time.GetTimestamp());
            Volatile.Write(ref _clockOffset, outcome.ClockOffset);
            _handlers.Confirmed(this);
            Settle(outcome, lapsed);
            Watch(outcome.NextExpiry);
        }
        catch (Exception exception) when (!first && !cancellationToken.IsCancellationRequested)
        {
            Log.RoundFailed(_logger, exception);
            if (!IsConfirmed)
                LoseAll();
        }
        finally
        {
            _round.Release();
        }
    }

    private async Task<RoundOutcome> RoundAsync(WriteSession session, bool first)
    {
        // 1. Announce and count.
        var now = await ShardTables.NowAsync(session, _time).ConfigureAwait(false);
        var clockOffset = now - _time.GetUtcNow().ToUnixTimeMilliseconds();
        var expiresAt = now + (long)_options.Duration.TotalMilliseconds;
        if (!_draining)
            await ShardTables.AnnounceAsync(session, _options.Owner, _options.Address, expiresAt).ConfigureAwait(false);

        var deadSince = first && _options.Exclusive ? long.MaxValue : now;
        var instances = await ShardTables.CountInstancesAsync(session, _options.Owner, deadSince).ConfigureAwait(false);
        var share = (_options.ShardCount + instances - 1) / Math.Max(1, instances);

        // 2. Prolong.
        var kept = await ShardTables.HeartbeatAsync(session, _options.Owner, expiresAt).ConfigureAwait(false);
        for (var i = 0; i < kept.Count; i++)
        {
            // Given up for lost, or taken by a round whose commit was never confirmed.
            if (!_held.ContainsKey(kept[i].Shard))
                kept[i] = await ShardTables.RenewEpochAsync(session, _options.Owner, kept[i].Shard).ConfigureAwait(false);
        }

        // 3. Take more.
        var taken = _draining || kept.Count >= share
            ? []
            : await ShardTables.AcquireAsync(session, _options.Owner, _options.Address, deadSince, expiresAt, share - kept.Count)
                .ConfigureAwait(false);
        var expiry = await ShardTables.NextExpiryAsync(session, _options.Owner, now).ConfigureAwait(false);
        return new RoundOutcome(kept, taken, share, expiry is { } next ? TimeSpan.FromMilliseconds(next - now) : null, clockOffset);
    }

    private bool IsWithinDuration(long confirmedAt, long now) => _time.GetElapsedTime(confirmedAt, now) < _options.Duration;

    /// <summary>Brings memory in line with a committed round and tells the handlers.</summary>
    /// <param name="lapsed">The leases were not confirmed for a while, although nobody has taken them.</param>
    private void Settle(RoundOutcome outcome, bool lapsed)
    {
        var before = _held;
        _held = outcome.Kept.Concat(outcome.Taken).ToImmutableDictionary(lease => lease.Shard, lease => lease.Epoch);
        foreach (var (shard, epoch) in before)
        {
            if (!_held.TryGetValue(shard, out var current) || current != epoch)
                Lose(new ShardLease(shard, epoch));
        }

        foreach (var (shard, epoch) in _held)
        {
            if (!before.TryGetValue(shard, out var previous) || previous != epoch || (lapsed && !IsReleasing(shard)))
                Acquire(new ShardLease(shard, epoch));
        }

        // 4. Give the excess away.
        var excess = _draining ? 0 : _held.Count - outcome.Share;
        foreach (var (shard, epoch) in _held.OrderByDescending(lease => lease.Key).Take(Math.Max(0, excess)))
            BeginHandOver(new ShardLease(shard, epoch));
    }

    /// <summary>Sets the next round for the moment when a lease of another instance runs out, if that comes first.</summary>
    private void Watch(TimeSpan? nextExpiry)
    {
        _timer?.Change(nextExpiry is { } expiry && expiry < Period ? expiry + AfterExpiry : Period, Period);
    }

    private void LoseAll()
    {
        var before = _held;
        _held = _held.Clear();
        foreach (var (shard, epoch) in before)
            Lose(new ShardLease(shard, epoch));
    }

    private void Acquire(ShardLease lease)
    {
        Log.Acquired(_logger, lease.Shard, lease.Epoch);
        Tell(_handlers.Acquired, lease);
    }

    private void Lose(ShardLease lease)
    {
        Log.Lost(_logger, lease.Shard, lease.Epoch);
        Tell(_handlers.Lost, lease);
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
            Log.HandlerFailed(_logger, lease.Shard, exception);
        }
    }

    private bool IsReleasing(int shard)
    {
        lock (_releasing)
            return _releasing.Contains(shard);
    }

    private void BeginHandOver(ShardLease lease)
    {
        lock (_releasing)
        {
            if (!_releasing.Add(lease.Shard))
                return;

            _handOvers = _handOvers.RemoveAll(task => task.IsCompleted).Add(Task.Run(() => HandOverAsync(lease)));
        }
    }

    private async Task HandOverAsync(ShardLease lease)
    {
        try
        {
            await _handlers.Releasing(lease).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Log.HandlerFailed(_logger, lease.Shard, exception);
        }

        // Between rounds, so that a round never mistakes the release for a loss.
        await _round.WaitAsync().ConfigureAwait(false);
        try
        {
            await _database.WriteAsync(session => ShardTables.ReleaseAsync(session, _options.Owner, lease), CancellationToken.None).ConfigureAwait(false);
            Log.Released(_logger, lease.Shard, lease.Epoch);
            Tell(_handlers.Released, lease);
        }
        catch (Exception exception)
        {
            Log.ReleaseFailed(_logger, exception);
        }
        finally
        {
            // Also when it failed: what the database still counts as ours starts over in the next round.
            _held = _held.Remove(lease.Shard);
            _round.Release();
            lock (_releasing)
                _releasing.Remove(lease.Shard);
        }
    }

    /// <param name="NextExpiry">Until the next lease of another instance runs out; null when there is none.</param>
    /// <param name="ClockOffset">Milliseconds that the database's clock is ahead.</param>
    private sealed record RoundOutcome(List<ShardLease> Kept, List<ShardLease> Taken, int Share, TimeSpan? NextExpiry, long ClockOffset);

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
