using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Shards;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Signals;

/// <summary>The outbox of signals. Rows are written and removed in the appends of runs only.</summary>
internal sealed class SignalStore(Database database)
{
    // The same signal may be decided again before its first decision is durable: then it is the same row.
    private const string InsertSignal = """
        INSERT INTO run_signals (target_shard, target_run, source_run, source_sequence, kind, payload, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (target_shard, target_run, source_run, source_sequence) DO NOTHING
        """;

    private const string DeleteSignal = """
        DELETE FROM run_signals
        WHERE target_shard = $1 AND target_run = $2 AND source_run = $3 AND source_sequence = $4
        """;

    private const string SignalsOfRun = """
        SELECT target_run, source_run, source_sequence, kind, payload FROM run_signals
        WHERE target_shard = $1 AND target_run = $2
        ORDER BY source_run, source_sequence
        """;

    // A paused run takes no reports; it finds them when it is resumed.
    private const string SignalsOfShard = """
        SELECT s.target_run, s.source_run, s.source_sequence, s.kind, s.payload
        FROM run_signals s JOIN runs r ON r.run_id = s.target_run
        WHERE s.target_shard = $1 AND (s.target_run, s.source_run, s.source_sequence) > ($2, $3, $4)
          AND (r.status <> 'paused' OR s.kind = 'cancel')
        ORDER BY s.target_run, s.source_run, s.source_sequence
        LIMIT $5
        """;

    /// <summary>Adds what an append sends and removes what it has received.</summary>
    public static void Write(WriteSession session, IReadOnlyList<RunSignal> sent, IReadOnlyList<RunSignal> received, long now)
    {
        foreach (var signal in sent)
        {
            var (kind, payload) = SignalCodec.Encode(signal);
            session.Enqueue(InsertSignal, ShardOf(signal), signal.Target, signal.Source, signal.SourceSequence, kind, payload, now);
        }

        foreach (var signal in received)
            session.Enqueue(DeleteSignal, ShardOf(signal), signal.Target, signal.Source, signal.SourceSequence);
    }

    /// <summary>What waits for a run, in the order in which each sender sent it.</summary>
    public async Task<List<RunSignal>> OfRunAsync(string runId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await ReadAsync(await session.QueryAsync(SignalsOfRun, (long)RunIds.ShardOf(runId)!.Value, runId), cancellationToken);
    }

    /// <summary>What waits for the runs of a shard and can be decided, in pages after a signal.</summary>
    public async Task<List<RunSignal>> OfShardAsync(int shard, RunSignal? after, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        var rows = await session.QueryAsync(
            SignalsOfShard, (long)shard, after?.Target ?? "", after?.Source ?? "", after?.SourceSequence ?? -1L, (long)limit);
        return await ReadAsync(rows, cancellationToken);
    }

    private static async Task<List<RunSignal>> ReadAsync(System.Data.Common.DbDataReader rows, CancellationToken cancellationToken)
    {
        await using var owned = rows;
        List<RunSignal> signals = [];
        while (await rows.ReadAsync(cancellationToken))
            signals.Add(SignalCodec.Decode(rows.GetString(0), rows.GetString(1), rows.GetInt64(2), rows.GetString(3), rows.GetFieldValue<byte[]>(4)));

        return signals;
    }

    private static long ShardOf(RunSignal signal) =>
        RunIds.ShardOf(signal.Target) ?? throw new InvalidOperationException($"'{signal.Target}' is no id of a run.");
}
