using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Audit;

/// <summary>Who changed what.</summary>
/// <param name="By">The caller; a service for what nobody was signed in for.</param>
/// <param name="Action">Such as <c>member.removed</c>.</param>
/// <param name="Target">Id of what was changed; null = the organization.</param>
/// <param name="Detail">More about it; never a secret. Not used again by the caller.</param>
internal sealed record AuditRecord(Caller By, string Action, string? Target = null, JsonObject? Detail = null);

/// <summary>An entry before it has a place in the log.</summary>
/// <param name="KeyId">Empty = no key.</param>
/// <param name="At">Unix milliseconds.</param>
internal sealed record PendingEntry(string Actor, string KeyId, string Action, string? Target, JsonObject? Detail, long At);

/// <summary>
/// The audit log of an organization: entries are added in the transaction of the change that they tell about, and each holds the
/// SHA-256 of the one before, so that none can be altered or left out unnoticed (spec/http-core.md 5.6). Signed checkpoints cover the
/// end of the log as well.
/// </summary>
internal sealed class AuditTrail([FromKeyedServices("identity")] Database database, AuditCheckpoints checkpoints)
{
    /// <summary>
    /// Makes the transaction the only one that changes the organization. First of all locks, so that no two transactions wait for
    /// each other.
    /// </summary>
    public static Task LockAsync(WriteSession session, string tenant) =>
        session.ExecuteAsync("UPDATE tenants SET audit_sequence = audit_sequence WHERE tenant = $1", tenant);

    public static Task AppendAsync(WriteSession session, string tenant, long now, AuditRecord record)
    {
        var by = record.By;
        var actor = by.Service is { } service ? $"service:{service}" : by.Principal;
        return AppendAsync(session, tenant, [new PendingEntry(actor, by.KeyId, record.Action, record.Target, record.Detail, now)], seal: static (_, _, _) => { });
    }

    /// <summary>Adds entries in the transaction of what they tell about.</summary>
    public static Task AppendAsync(WriteSession session, string tenant, IReadOnlyList<PendingEntry> entries) =>
        AppendAsync(session, tenant, entries, seal: static (_, _, _) => { });

    /// <summary>Adds what callers have done, once however often the batch comes, and seals each log that has become long enough.</summary>
    public Task AppendAsync(string batchId, IReadOnlyList<(string Tenant, PendingEntry Entry)> calls, long now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                if (await session.ExecuteAsync("INSERT INTO audit_batches (batch_id, created_at) VALUES ($1, $2) ON CONFLICT (batch_id) DO NOTHING", batchId, now) == 0)
                    return;

                // In the order of their names, so that two batches never wait for each other.
                foreach (var tenant in calls.GroupBy(call => call.Tenant, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
                {
                    await AppendAsync(
                        session, tenant.Key, [.. tenant.Select(call => call.Entry)],
                        (writing, name, head) =>
                        {
                            if (head.Sequence - head.Checkpoint >= AuditCheckpoints.IntervalEntries)
                                checkpoints.Add(writing, name, head, now);
                        });
                }
            },
            cancellationToken);

    /// <summary>Entries after a sequence, in order.</summary>
    public async Task<List<(long Sequence, byte[] Entry)>> ListAsync(string tenant, long after, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var reader = await session.QueryAsync(
            "SELECT sequence, entry FROM audit_entries WHERE tenant = $1 AND sequence > $2 ORDER BY sequence LIMIT $3", tenant, after, limit);
        var entries = new List<(long, byte[])>();
        while (await reader.ReadAsync(cancellationToken))
            entries.Add((reader.GetInt64(0), reader.GetFieldValue<byte[]>(1)));

        return entries;
    }

    private static async Task AppendAsync(
        WriteSession session, string tenant, IReadOnlyList<PendingEntry> entries, Action<WriteSession, string, AuditHead> seal)
    {
        await LockAsync(session, tenant);
        var head = await AuditHead.ReadAsync(session, tenant)
            ?? throw new InvalidOperationException("There is no such organization to write the audit log of.");
        foreach (var entry in entries)
        {
            session.Enqueue("INSERT INTO audit_entries (tenant, sequence, entry) VALUES ($1, $2, $3)", tenant, head.Sequence + 1, head.Add(entry));
            seal(session, tenant, head);
        }

        head.Write(session, tenant);
    }
}

/// <summary>The end of a log: where the next entry goes.</summary>
internal sealed class AuditHead
{
    private byte[]? _hash;

    /// <summary>Of the last entry; 0 = none.</summary>
    public long Sequence { get; private set; }

    /// <summary>Sequence of the last checkpoint; 0 = none.</summary>
    public long Checkpoint { get; set; }

    public MerkleFrontier Frontier { get; private init; } = new();

    public static async Task<AuditHead?> ReadAsync(Session session, string tenant)
    {
        await using var row = await session.QueryAsync("SELECT audit_sequence, audit_hash, audit_frontier, audit_checkpoint FROM tenants WHERE tenant = $1", tenant);
        if (!await row.ReadAsync(session.CancellationToken))
            return null;

        var sequence = row.GetInt64(0);
        return new AuditHead
        {
            Sequence = sequence,
            _hash = row.IsDBNull(1) ? null : row.GetFieldValue<byte[]>(1),
            Frontier = MerkleFrontier.Parse(sequence, row.IsDBNull(2) ? [] : row.GetFieldValue<byte[]>(2)),
            Checkpoint = row.GetInt64(3),
        };
    }

    /// <summary>SHA-256 of the last entry as hex; null = there is none.</summary>
    public string? Hash => _hash is null ? null : Convert.ToHexStringLower(_hash);

    /// <summary>Puts an entry at the end; returns it as it is stored.</summary>
    public byte[] Add(PendingEntry entry)
    {
        var json = new JsonObject
        {
            ["sequence"] = ++Sequence,
            ["at"] = DateTimeOffset.FromUnixTimeMilliseconds(entry.At).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
            ["actor"] = entry.Actor,
            ["action"] = entry.Action,
            ["prevHash"] = Hash,
        };
        if (entry.KeyId.Length > 0)
            json["keyId"] = entry.KeyId;
        if (entry.Target is not null)
            json["target"] = entry.Target;
        if (entry.Detail is not null)
            json["detail"] = entry.Detail;

        var bytes = CanonicalJson.ToUtf8Bytes(JsonSerializer.SerializeToElement(json));
        _hash = SHA256.HashData(bytes);
        Frontier.Add(bytes);
        return bytes;
    }

    public void Write(WriteSession session, string tenant) => session.Enqueue(
        "UPDATE tenants SET audit_sequence = $2, audit_hash = $3, audit_frontier = $4, audit_checkpoint = $5 WHERE tenant = $1",
        tenant, Sequence, _hash, Frontier.ToBytes(), Checkpoint);
}
