using System.Data.Common;
using System.Security.Cryptography;
using OpenWop.Micro.Identity.Audit;
using OpenWop.Micro.Protocol.Security;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Keys;

/// <summary>Tenants and keys in the database. Methods with a <see cref="WriteSession"/> are parts of the caller's transaction.</summary>
internal sealed class KeyStore([FromKeyedServices("identity")] Database database)
{
    /// <summary>What a key is worth depends on the member who holds it, if one does.</summary>
    internal const string Columns =
        """
        k.key_id, k.key_hash, k.tenant, k.name, k.principal, k.scopes, k.is_test, k.source, k.created_at, k.expires_at, k.revoked_at,
        k.replaced_by, k.last_used_at, k.member_id, m.role, m.removed_at
        """;

    private const string Select = $"SELECT {Columns} FROM api_keys k LEFT JOIN members m ON m.member_id = k.member_id";
    private const string ByHash = $"{Select} WHERE k.key_hash = $1";

    public Task<T> WriteAsync<T>(Func<WriteSession, Task<T>> work, CancellationToken cancellationToken) =>
        database.WriteAsync(work, cancellationToken);

    /// <summary>The key with this hash, or null.</summary>
    public async Task<ApiKeyRecord?> FindByHashAsync(byte[] hash, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await FindByHashAsync(session, hash);
    }

    public static async Task<ApiKeyRecord?> FindByHashAsync(Session session, byte[] hash)
    {
        var key = await FirstAsync(session, session.QueryAsync(ByHash, hash));

        // The index compares as databases do; this comparison takes the same time wherever the bytes differ.
        return key is not null && CryptographicOperations.FixedTimeEquals(key.Hash, hash) ? key : null;
    }

    /// <summary>Whether no key was ever made.</summary>
    public async Task<bool> IsEmptyAsync(CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await session.ScalarAsync<string>("SELECT key_id FROM api_keys LIMIT 1") is null;
    }

    /// <summary>A key that the tenant may see: of its own, and of the mode unless that is null.</summary>
    public static async Task<ApiKeyRecord?> FindAsync(Session session, string tenant, bool? isTest, string keyId)
    {
        var key = await FirstAsync(session, session.QueryAsync($"{Select} WHERE k.key_id = $1 AND k.tenant = $2", keyId, tenant));
        return key is not null && (isTest is null || key.IsTest == isTest) ? key : null;
    }

    /// <summary>Keys of a tenant after an id, ordered by id.</summary>
    public async Task<List<ApiKeyRecord>> ListAsync(string tenant, bool? isTest, string after, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var reader = await (isTest is { } mode
            ? session.QueryAsync(
                $"{Select} WHERE k.tenant = $1 AND k.is_test = $2 AND k.key_id > $3 ORDER BY k.key_id LIMIT $4", tenant, mode, after, limit)
            : session.QueryAsync(
                $"{Select} WHERE k.tenant = $1 AND k.key_id > $2 ORDER BY k.key_id LIMIT $3", tenant, after, limit));
        var keys = new List<ApiKeyRecord>();
        while (await reader.ReadAsync(cancellationToken))
            keys.Add(Read(reader));

        return keys;
    }

    public static Task<long> CountActiveAsync(Session session, string tenant, long now) => session.ScalarAsync<long>(
        """
        SELECT count(*) FROM api_keys
        WHERE tenant = $1 AND (revoked_at IS NULL OR revoked_at > $2) AND (expires_at IS NULL OR expires_at > $2)
        """,
        tenant, now);

    /// <summary>Adds the key and, when it is the first of its tenant, the tenant. False when there is a key with this hash already.</summary>
    public static async Task<bool> InsertAsync(WriteSession session, ApiKeyRecord key)
    {
        await session.ExecuteAsync("INSERT INTO tenants (tenant, created_at) VALUES ($1, $2) ON CONFLICT (tenant) DO NOTHING", key.Tenant, key.CreatedAt);
        return await session.ExecuteAsync(
            """
            INSERT INTO api_keys
                (key_id, key_hash, tenant, name, principal, scopes, is_test, source, created_at, expires_at, revoked_at, replaced_by,
                 last_used_at, member_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            ON CONFLICT (key_hash) DO NOTHING
            """,
            key.KeyId, key.Hash, key.Tenant, key.Name, key.Principal, string.Join(' ', key.Scopes), key.IsTest, key.Source.ToString(),
            key.CreatedAt, key.ExpiresAt, key.RevokedAt, key.ReplacedBy, key.LastUsedAt, key.MemberId) == 1;
    }

    /// <summary>Brings what a file says about a key into the database.</summary>
    public static Task UpdateAsync(WriteSession session, ApiKeyRecord key) => session.ExecuteAsync(
        "UPDATE api_keys SET name = $2, principal = $3, scopes = $4, expires_at = $5 WHERE key_id = $1",
        key.KeyId, key.Name, key.Principal, string.Join(' ', key.Scopes), key.ExpiresAt);

    /// <summary>Ends a key now, unless it has ended before.</summary>
    public static async Task<bool> RevokeAsync(WriteSession session, string keyId, long now) => await session.ExecuteAsync(
        "UPDATE api_keys SET revoked_at = $2, replaced_by = NULL WHERE key_id = $1 AND (revoked_at IS NULL OR revoked_at > $2)", keyId, now) == 1;

    /// <summary>Lets a key end at a time in favor of another one. False when it has an end already.</summary>
    public static async Task<bool> ReplaceAsync(WriteSession session, string keyId, string replacedBy, long revokedAt) => await session.ExecuteAsync(
        "UPDATE api_keys SET revoked_at = $3, replaced_by = $2 WHERE key_id = $1 AND revoked_at IS NULL", keyId, replacedBy, revokedAt) == 1;

    /// <summary>Every key of a member, ended ones too.</summary>
    public static async Task<List<string>> ListOfMemberAsync(Session session, string memberId)
    {
        await using var reader = await session.QueryAsync("SELECT key_id FROM api_keys WHERE member_id = $1", memberId);
        var ids = new List<string>();
        while (await reader.ReadAsync(session.CancellationToken))
            ids.Add(reader.GetString(0));

        return ids;
    }

    /// <summary>Bootstrap keys that are still accepted.</summary>
    public static async Task<List<ApiKeyRecord>> ListBootstrapAsync(Session session, long now)
    {
        await using var reader = await session.QueryAsync(
            $"{Select} WHERE k.source = $1 AND (k.revoked_at IS NULL OR k.revoked_at > $2)", nameof(KeySource.Bootstrap), now);
        var keys = new List<ApiKeyRecord>();
        while (await reader.ReadAsync(session.CancellationToken))
            keys.Add(Read(reader));

        return keys;
    }

    /// <summary>Notes when keys were used last. The first use of a key is an entry in the audit log of its organization.</summary>
    public Task TouchAsync(IReadOnlyCollection<KeyValuePair<string, long>> uses, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            await NoteFirstUsesAsync(session, uses.ToDictionary(StringComparer.Ordinal));

            // By id, as other instances do.
            foreach (var (keyId, at) in uses.OrderBy(use => use.Key, StringComparer.Ordinal))
                session.Enqueue("UPDATE api_keys SET last_used_at = $2 WHERE key_id = $1 AND (last_used_at IS NULL OR last_used_at < $2)", keyId, at);

            await session.FlushAsync();
        },
        cancellationToken);

    private static async Task NoteFirstUsesAsync(WriteSession session, Dictionary<string, long> uses)
    {
        // In this order everywhere: the organization first, its keys second.
        foreach (var organization in (await ListUnusedAsync(session, [.. uses.Keys])).GroupBy(key => key.Tenant, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            await AuditTrail.LockAsync(session, organization.Key);
            var entries = new List<PendingEntry>();
            foreach (var (keyId, _, principal) in organization.OrderBy(key => key.KeyId, StringComparer.Ordinal))
            {
                if (await session.ExecuteAsync("UPDATE api_keys SET last_used_at = $2 WHERE key_id = $1 AND last_used_at IS NULL", keyId, uses[keyId]) == 1)
                    entries.Add(new PendingEntry(principal, keyId, "key.used", keyId, Detail: null, uses[keyId]));
            }

            if (entries.Count > 0)
                await AuditTrail.AppendAsync(session, organization.Key, entries);
        }
    }

    private static async Task<List<(string KeyId, string Tenant, string Principal)>> ListUnusedAsync(WriteSession session, string[] keyIds)
    {
        const string Unused = "SELECT key_id, tenant, principal FROM api_keys WHERE last_used_at IS NULL AND key_id = ";
        var unused = new List<(string, string, string)>();
        if (session.Dialect == SqlDialect.PostgreSql)
        {
            await ReadAsync(session.QueryAsync(Unused + "ANY ($1)", (object)keyIds));
        }
        else
        {
            foreach (var keyId in keyIds)
                await ReadAsync(session.QueryAsync(Unused + "$1", keyId));
        }

        return unused;

        async Task ReadAsync(Task<DbDataReader> query)
        {
            await using var rows = await query;
            while (await rows.ReadAsync(session.CancellationToken))
                unused.Add((rows.GetString(0), rows.GetString(1), rows.GetString(2)));
        }
    }

    private static async Task<ApiKeyRecord?> FirstAsync(Session session, Task<DbDataReader> query)
    {
        await using var reader = await query;
        return await reader.ReadAsync(session.CancellationToken) ? Read(reader) : null;
    }

    /// <summary>A row of <see cref="Columns"/>.</summary>
    internal static ApiKeyRecord Read(DbDataReader row) => new()
    {
        KeyId = row.GetString(0),
        Hash = row.GetFieldValue<byte[]>(1),
        Tenant = row.GetString(2),
        Name = row.GetString(3),
        Principal = row.GetString(4),
        Scopes = row.GetString(5).Split(' ', StringSplitOptions.RemoveEmptyEntries),
        IsTest = row.GetBoolean(6),
        Source = Enum.Parse<KeySource>(row.GetString(7)),
        CreatedAt = row.GetInt64(8),
        ExpiresAt = row.IsDBNull(9) ? null : row.GetInt64(9),
        RevokedAt = row.IsDBNull(10) ? null : row.GetInt64(10),
        ReplacedBy = row.IsDBNull(11) ? null : row.GetString(11),
        LastUsedAt = row.IsDBNull(12) ? null : row.GetInt64(12),
        MemberId = row.IsDBNull(13) ? null : row.GetString(13),

        // A role that this version does not know gives nothing.
        MemberRole = row.IsDBNull(14) ? null : Roles.Find(row.GetString(14)),
        MemberIsGone = !row.IsDBNull(13) && (!row.IsDBNull(15) || row.IsDBNull(14) || Roles.Find(row.GetString(14)) is null),
    };
}
