using System.Data.Common;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Runs.Mailbox;
using OpenWop.Micro.Runs.Memory;
using OpenWop.Micro.Runs.Signals;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Store;

/// <summary>
/// The log and the rows of runs. <see cref="AppendAsync"/> is the one way in which a run changes: appends of all runs are
/// drained into one transaction, which also checks that every shard in it is still owned under the same epoch.
/// </summary>
internal sealed class RunStore : IAsyncDisposable
{
    private static readonly AppendResult Fenced = new(AppendStatus.Fenced, []);

    private readonly Database database;
    private readonly TimeProvider clock;
    private readonly GroupCommit<RunAppend, AppendResult> appends;

    /// <param name="committed">Called after each commit, in commit order, with what was appended.</param>
    public RunStore(Database database, TimeProvider clock, Action<RunAppend, AppendResult> committed, ILogger<RunStore> logger)
    {
        this.database = database;
        this.clock = clock;
        appends = new GroupCommit<RunAppend, AppendResult>(
            database,
            new GroupCommitOptions { Name = "runs" },
            WriteAsync,
            (items, results) =>
            {
                for (var i = 0; i < items.Count; i++)
                {
                    if (results[i].Status == AppendStatus.Committed)
                    {
                        committed(items[i], results[i]);
                    }
                }
            },
            logger);
    }

    /// <summary>Appends; returns when the events are durable.</summary>
    /// <exception cref="RunMovedException">The shard has another owner; nothing was written.</exception>
    public async Task<AppendResult> AppendAsync(RunAppend append)
    {
        var result = await appends.SubmitAsync(append, CancellationToken.None);
        return result.Status == AppendStatus.Fenced ? throw new RunMovedException() : result;
    }

    public async Task<RunRow?> FindAsync(string runId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var row = await session.QueryAsync(RunQueries.FindRun, runId);
        return await row.ReadAsync(cancellationToken)
            ? new RunRow(runId, (int)row.GetInt64(0), row.GetString(1), row.GetInt64(2) == 1, row.GetString(3), row.GetString(4), row.GetInt64(5))
            {
                ExpiredAt = row.IsDBNull(6) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)),
            }
            : null;
    }

    /// <summary>The run that a request made, or null.</summary>
    public async Task<string?> FindRequestAsync(string tenant, string requestId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await session.ScalarAsync<string>(RunQueries.FindRequest, tenant, requestId);
    }

    /// <summary>Runs below a run, however deep; at most as many as the limit.</summary>
    public async Task<long> CountDescendantsAsync(string rootRunId, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await session.ScalarAsync<long>(RunQueries.CountDescendants, rootRunId, (long)limit);
    }

    /// <summary>The stored state with newer events folded in.</summary>
    public async Task<RunState> LoadStateAsync(string runId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        var stored = await session.ScalarAsync<byte[]>(RunQueries.FindState, runId);
        var state = (stored is null ? null : StateCodec.Decode(stored)) ?? RunState.Empty;
        await using var rows = await session.QueryAsync(RunQueries.EventsAfter, runId, state.LastSequence, (long)int.MaxValue);
        while (await rows.ReadAsync(cancellationToken))
        {
            state = Fold.Apply(state, EventCodec.Decode(ReadEvent(rows)));
        }

        return state.Options is { EngineVersion: > EngineVersions.Current } newer
            ? throw new ProtocolException(RunErrors.NewerEngine(newer.EngineVersion))
            : state;
    }

    /// <summary>Events after a sequence, oldest first.</summary>
    public async Task<List<EncodedEvent>> ReadEventsAsync(string runId, long afterSequence, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(RunQueries.EventsAfter, runId, afterSequence, (long)limit);
        List<EncodedEvent> events = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            events.Add(ReadEvent(rows));
        }

        return events;
    }

    /// <summary>Runs of a shard with attempts in flight, in pages by id.</summary>
    public async Task<List<string>> ActiveRunsAsync(int shard, string afterRunId, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(RunQueries.ActiveRuns, (long)shard, afterRunId, (long)limit);
        List<string> runs = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            runs.Add(rows.GetString(0));
        }

        return runs;
    }

    /// <summary>Runs of a shard that are due before a time, soonest first.</summary>
    public async Task<List<(string RunId, DateTimeOffset DueAt)>> DueRunsAsync(int shard, DateTimeOffset before, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(RunQueries.DueRuns, (long)shard, before.ToUnixTimeMilliseconds(), (long)limit);
        List<(string, DateTimeOffset)> runs = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            runs.Add((rows.GetString(0), DateTimeOffset.FromUnixTimeMilliseconds(rows.GetInt64(1))));
        }

        return runs;
    }

    /// <summary>Commits what is queued and refuses more.</summary>
    public ValueTask DisposeAsync() => appends.DisposeAsync();

    private async Task<IReadOnlyList<AppendResult>> WriteAsync(WriteSession session, IReadOnlyList<RunAppend> items)
    {
        // Rows that other instances may want too are locked in one order everywhere: shards, requests, scopes, memory. All others belong to
        // runs, and so to this instance.
        var lost = await ShardLeaseChecks.FindLostAsync(session, items.Select(item => item.Lease));
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var results = items.Select(item => lost.Contains(new ShardLease(item.Lease.Shard, item.Lease.Epoch)) ? Fenced : null).ToArray();
        await CreationClaims.TakeAsync(session, items, results, now);
        var accepted = items.Where((_, i) => results[i] is null).ToList();
        MemoryStore.Write(session, accepted.SelectMany(append => append.Memory, (append, change) => (OwnerOf(append.State), append.Lease.RunId, change)));
        var positions = new Dictionary<int, long>();
        for (var i = 0; i < items.Count; i++)
            results[i] ??= await WriteAsync(session, items[i], positions, now);

        return results!;
    }

    private static async Task<AppendResult> WriteAsync(WriteSession session, RunAppend append, Dictionary<int, long> positions, long now)
    {
        var (lease, state) = (append.Lease, append.State);
        if (append.Creation is not null)
            InsertRun(session, append, now);

        SignalStore.Write(session, append.Sent, append.Received, now);
        if (append.Events.Count + append.History.Count == 0)
        {
            return new AppendResult(AppendStatus.Committed, []);
        }

        if (!positions.TryGetValue(lease.Shard, out var position))
        {
            position = await session.ScalarAsync<long>(RunQueries.LastPosition, (long)lease.Shard);
        }

        EncodedEvent[] encoded = [.. append.History, .. append.Events.Select(@event => EventCodec.Encode(lease.RunId, @event, state.Options?.EngineVersion ?? EngineVersions.Current))];
        foreach (var @event in encoded)
        {
            session.Enqueue(RunQueries.InsertEvent, lease.RunId, @event.Sequence, (long)lease.Shard, ++position, @event.Type, @event.Document, @event.Facts.IsEmpty ? null : @event.Facts);
        }

        positions[lease.Shard] = position;
        if (append.Creation is null)
        {
            session.Enqueue(RunQueries.UpdateRun, lease.RunId, RunSnapshot.StatusOf(state), state.LastSequence, ActiveOf(append), WakeAtOf(state), now, RunDescription.StateOf(state));
        }

        if (append.StoreState)
        {
            session.Enqueue(RunQueries.UpsertState, lease.RunId, state.LastSequence, StateCodec.Encode(state));
        }

        return new AppendResult(AppendStatus.Committed, encoded);
    }

    private static void InsertRun(WriteSession session, RunAppend append, long now)
    {
        var (lease, state, options) = (append.Lease, append.State, append.State.Options!);
        session.Enqueue(
            RunQueries.InsertRun,
            lease.RunId,
            (long)lease.Shard,
            options.Tenant,
            options.IsTest ? 1L : 0L,
            state.WorkflowId,
            options.ScopeId,
            RunSnapshot.StatusOf(state),
            state.LastSequence,
            ActiveOf(append),
            WakeAtOf(state),
            now,
            options.Parent?.RunId,
            options.Parent?.RootRunId,
            options.Tags.IsEmpty ? null : JsonSerializer.Serialize(options.Tags),
            append.History.Count == 0 ? null : append.History[^1].Sequence + 1,
            RunDescription.StateOf(state),
            options.Lineage.IsEmpty ? null : JsonSerializer.Serialize(options.Lineage),
            SpanIdentity.WithinRun(lease.RunId, options) is { } within ? SpanIdentity.Format(within) : null);

        // What is no text for every database cannot be asked for either.
        foreach (var tag in options.Tags.Where(tag => !tag.Contains('\0', StringComparison.Ordinal)))
            session.Enqueue(RunQueries.InsertTag, lease.RunId, tag, options.Tenant, options.IsTest ? 1L : 0L, now);
    }

    private static MemoryOwner OwnerOf(RunState state) => new(state.Options!.Tenant, state.Options.IsTest);

    private static EncodedEvent ReadEvent(DbDataReader row) =>
        new(row.GetInt64(0), row.GetString(1), row.GetFieldValue<byte[]>(2), row.IsDBNull(3) ? [] : row.GetFieldValue<byte[]>(3));

    private static long ActiveOf(RunAppend append) => append.MustLoad || append.State.HasRunningNodes ? 1 : 0;

    private static long? WakeAtOf(RunState state) => state.NextDue?.ToUnixTimeMilliseconds();
}
