using System.Data.Common;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Memory;

/// <summary>
/// Rows of memory. They are written and removed in the appends of runs only, so that an entry and the event that tells of it are there
/// together; every statement names the owner.
/// </summary>
internal sealed class MemoryStore(Database database, TimeProvider clock)
{
    private const string Insert = """
        INSERT INTO memory_entries (tenant, test, memory_ref, memory_id, run_id, sequence, content, tags, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (tenant, test, memory_ref, memory_id) DO NOTHING
        """;

    private const string Delete = "DELETE FROM memory_entries WHERE tenant = $1 AND test = $2 AND memory_ref = $3 AND memory_id = $4";

    private const string Oldest = """
        SELECT memory_id FROM memory_entries WHERE tenant = $1 AND test = $2 AND memory_ref = $3
        ORDER BY created_at DESC, sequence DESC, memory_id DESC LIMIT 1000000 OFFSET $4
        """;

    private const string DeleteOldest = $"""
        DELETE FROM memory_entries
        WHERE tenant = $1 AND test = $2 AND memory_ref = $3 AND memory_id IN ({Oldest})
        """;

    /// <summary>The same where there are several writers: what somebody else is removing is left to him.</summary>
    private const string DeleteOldestUnlocked = $"""
        DELETE FROM memory_entries
        WHERE tenant = $1 AND test = $2 AND memory_ref = $3 AND memory_id IN (
            SELECT memory_id FROM memory_entries
            WHERE tenant = $1 AND test = $2 AND memory_ref = $3 AND memory_id IN ({Oldest})
            FOR UPDATE SKIP LOCKED)
        """;

    private const string Expired = """
        SELECT tenant, test, memory_ref, memory_id FROM memory_entries
        WHERE expires_at IS NOT NULL AND expires_at <= $1
        ORDER BY expires_at LIMIT $2
        """;

    private const string DeleteExpired = $"DELETE FROM memory_entries WHERE (tenant, test, memory_ref, memory_id) IN ({Expired})";

    /// <summary>The same where there are several writers.</summary>
    private const string DeleteExpiredUnlocked =
        $"DELETE FROM memory_entries WHERE (tenant, test, memory_ref, memory_id) IN ({Expired} FOR UPDATE SKIP LOCKED)";

    private const string List = """
        SELECT memory_id, content, tags, created_at, expires_at FROM memory_entries
        WHERE tenant = $1 AND test = $2 AND memory_ref = $3 AND (expires_at IS NULL OR expires_at > $4)
        ORDER BY created_at DESC, sequence DESC, memory_id DESC
        LIMIT $5
        """;

    private const string Find = """
        SELECT memory_id, content, tags, created_at, expires_at FROM memory_entries
        WHERE tenant = $1 AND test = $2 AND memory_ref = $3 AND memory_id = $4
        """;

    /// <summary>The time by which entries expire.</summary>
    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Adds what appends have decided, in the order in which everybody locks: by owner, memory and entry.</summary>
    public static void Write(WriteSession session, IEnumerable<(MemoryOwner Owner, string RunId, DecidedMemoryChange Change)> changes)
    {
        foreach (var memory in changes
            .GroupBy(change => (change.Owner, change.Change.Change.MemoryRef))
            .OrderBy(memory => memory.Key.Owner.Tenant, StringComparer.Ordinal)
            .ThenBy(memory => memory.Key.Owner.Test)
            .ThenBy(memory => memory.Key.MemoryRef, StringComparer.Ordinal))
        {
            Write(session, memory.Key.Owner, memory.Key.MemoryRef, [.. memory.OrderBy(change => change.Change.Change.MemoryId, StringComparer.Ordinal)]);
        }
    }

    private static void Write(
        WriteSession session, MemoryOwner owner, string memoryRef, IReadOnlyList<(MemoryOwner Owner, string RunId, DecidedMemoryChange Change)> changes)
    {
        foreach (var (_, runId, (change, sequence)) in changes)
        {
            if (change is not MemoryChange.Put { Entry: var entry })
            {
                session.Enqueue(Delete, owner.Tenant, owner.Test, memoryRef, change.MemoryId);
                continue;
            }

            session.Enqueue(
                Insert,
                owner.Tenant,
                owner.Test,
                memoryRef,
                change.MemoryId,
                runId,
                sequence,
                entry.Content,
                JsonSerializer.Serialize(entry.Tags),
                entry.CreatedAt.ToUnixTimeMilliseconds(),
                entry.ExpiresAt?.ToUnixTimeMilliseconds());
        }

        if (changes.Any(change => change.Change.Change is MemoryChange.Put))
        {
            session.Enqueue(
                session.Dialect == SqlDialect.PostgreSql ? DeleteOldestUnlocked : DeleteOldest,
                owner.Tenant, owner.Test, memoryRef, (long)MemoryRules.MaxEntries);
        }
    }

    /// <summary>Living entries of a memory that satisfy a condition on id, time and tags, newest first.</summary>
    public async Task<List<MemoryEntry>> ListAsync(
        MemoryOwner owner, string memoryRef, Func<string, DateTimeOffset, IReadOnlyList<string>, bool> matches, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(List, owner.Tenant, owner.Test, memoryRef, Now.ToUnixTimeMilliseconds(), (long)MemoryRules.MaxEntries);
        List<MemoryEntry> entries = [];
        while (entries.Count < limit && await rows.ReadAsync(cancellationToken))
        {
            var entry = Read(rows);
            if (matches(entry.Id, entry.CreatedAt, entry.Tags))
                entries.Add(entry);
        }

        return entries;
    }

    /// <summary>An entry, also one that has expired; null when there is none.</summary>
    public async Task<MemoryEntry?> FindAsync(MemoryOwner owner, string memoryRef, string memoryId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(Find, owner.Tenant, owner.Test, memoryRef, memoryId);
        return await rows.ReadAsync(cancellationToken) ? Read(rows) : null;
    }

    /// <summary>Removes what has expired, the oldest first; nobody sees it any more in any case.</summary>
    /// <returns>How many entries; fewer than the limit = no more are left.</returns>
    public Task<int> PurgeAsync(int limit, CancellationToken cancellationToken) =>
        database.WriteAsync(
            session => session.ExecuteAsync(session.Dialect == SqlDialect.PostgreSql ? DeleteExpiredUnlocked : DeleteExpired, Now.ToUnixTimeMilliseconds(), (long)limit),
            cancellationToken);

    private static MemoryEntry Read(DbDataReader row) => new(
        row.GetString(0),
        row.GetString(1),
        JsonSerializer.Deserialize<string[]>(row.GetString(2))!,
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
        row.IsDBNull(4) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4)));
}

/// <summary>Whose memory it is: the tenant's, and runs of test keys have another one than those of live keys.</summary>
internal readonly record struct MemoryOwner(string Tenant, bool IsTest)
{
    public long Test => IsTest ? 1 : 0;
}
