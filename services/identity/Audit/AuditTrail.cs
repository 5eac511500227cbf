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

/// <summary>
/// The audit log of an organization: entries are added in the transaction of the change that they tell about, and each holds the
/// SHA-256 of the one before, so that none can be altered or left out unnoticed (spec/http-core.md 5.6).
/// </summary>
internal sealed class AuditTrail([FromKeyedServices("identity")] Database database)
{
    /// <summary>
    /// Makes the transaction the only one that changes the organization. First of all locks, so that no two transactions wait for
    /// each other.
    /// </summary>
    public static Task LockAsync(WriteSession session, string tenant) =>
        session.ExecuteAsync("UPDATE tenants SET audit_sequence = audit_sequence WHERE tenant = $1", tenant);

    public static async Task AppendAsync(WriteSession session, string tenant, long now, AuditRecord record)
    {
        await session.ExecuteAsync("UPDATE tenants SET audit_sequence = audit_sequence + 1 WHERE tenant = $1", tenant);
        var (sequence, previous) = await ReadHeadAsync(session, tenant);
        var entry = ToJson(record, sequence, now, previous);
        await session.ExecuteAsync("INSERT INTO audit_entries (tenant, sequence, entry) VALUES ($1, $2, $3)", tenant, sequence, entry);
        await session.ExecuteAsync("UPDATE tenants SET audit_hash = $2 WHERE tenant = $1", tenant, SHA256.HashData(entry));
    }

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

    private static async Task<(long Sequence, byte[]? Hash)> ReadHeadAsync(WriteSession session, string tenant)
    {
        await using var reader = await session.QueryAsync("SELECT audit_sequence, audit_hash FROM tenants WHERE tenant = $1", tenant);
        return await reader.ReadAsync(session.CancellationToken)
            ? (reader.GetInt64(0), reader.IsDBNull(1) ? null : reader.GetFieldValue<byte[]>(1))
            : throw new InvalidOperationException("There is no such organization to write the audit log of.");
    }

    private static byte[] ToJson(AuditRecord record, long sequence, long now, byte[]? previous)
    {
        var by = record.By;
        var entry = new JsonObject
        {
            ["sequence"] = sequence,
            ["at"] = DateTimeOffset.FromUnixTimeMilliseconds(now).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture),
            ["actor"] = by.Service is { } service ? $"service:{service}" : by.Principal,
            ["action"] = record.Action,
            ["prevHash"] = previous is null ? null : Convert.ToHexStringLower(previous),
        };
        if (by.KeyId.Length > 0)
            entry["keyId"] = by.KeyId;
        if (record.Target is not null)
            entry["target"] = record.Target;
        if (record.Detail is not null)
            entry["detail"] = record.Detail;

        return CanonicalJson.ToUtf8Bytes(JsonSerializer.SerializeToElement(entry));
    }
}
