using System.Data.Common;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Vault;

/// <summary>Secrets in the database. Methods with a <see cref="WriteSession"/> are parts of the caller's transaction.</summary>
internal sealed class SecretStore([FromKeyedServices("identity")] Database database)
{
    private const string Find =
        "SELECT secret_id, sealed, description, version, created_at, updated_at FROM secrets WHERE tenant = $1 AND is_test = $2 AND secret_id = $3";

    private const string List =
        """
        SELECT secret_id, sealed, description, version, created_at, updated_at FROM secrets
        WHERE tenant = $1 AND is_test = $2 AND secret_id > $3 ORDER BY secret_id LIMIT $4
        """;

    private const string Count = "SELECT count(*) FROM secrets WHERE tenant = $1 AND is_test = $2";

    private const string Insert =
        "INSERT INTO secrets (tenant, is_test, secret_id, sealed, description, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

    private const string Update =
        "UPDATE secrets SET sealed = $4, description = $5, version = $6, updated_at = $7 WHERE tenant = $1 AND is_test = $2 AND secret_id = $3";

    private const string Delete = "DELETE FROM secrets WHERE tenant = $1 AND is_test = $2 AND secret_id = $3";

    private const string Page =
        """
        SELECT tenant, is_test, secret_id, sealed, version FROM secrets
        WHERE (tenant, is_test, secret_id) > ($1, $2, $3) ORDER BY tenant, is_test, secret_id LIMIT $4
        """;

    private const string Reseal = "UPDATE secrets SET sealed = $4 WHERE tenant = $1 AND is_test = $2 AND secret_id = $3 AND version = $5";

    public Task<T> WriteAsync<T>(Func<WriteSession, Task<T>> work, CancellationToken cancellationToken) => database.WriteAsync(work, cancellationToken);

    public async Task<SecretRecord?> FindAsync(SecretOwner owner, string secretId, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await FindAsync(session, owner, secretId);
    }

    public static async Task<SecretRecord?> FindAsync(Session session, SecretOwner owner, string secretId)
    {
        await using var rows = await session.QueryAsync(Find, owner.Tenant, owner.IsTest, secretId);
        return await rows.ReadAsync(session.CancellationToken) ? Read(rows) : null;
    }

    /// <summary>Secrets after an id, ordered by id.</summary>
    public async Task<List<SecretRecord>> ListAsync(SecretOwner owner, string after, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(List, owner.Tenant, owner.IsTest, after, (long)limit);
        var secrets = new List<SecretRecord>();
        while (await rows.ReadAsync(cancellationToken))
            secrets.Add(Read(rows));
        return secrets;
    }

    public static Task<long> CountAsync(Session session, SecretOwner owner) => session.ScalarAsync<long>(Count, owner.Tenant, owner.IsTest);

    public static Task InsertAsync(WriteSession session, SecretOwner owner, SecretRecord secret) => session.ExecuteAsync(
        Insert, owner.Tenant, owner.IsTest, secret.Id, secret.Sealed, secret.Description, secret.Version, secret.CreatedAt, secret.UpdatedAt);

    public static Task UpdateAsync(WriteSession session, SecretOwner owner, SecretRecord secret) => session.ExecuteAsync(
        Update, owner.Tenant, owner.IsTest, secret.Id, secret.Sealed, secret.Description, secret.Version, secret.UpdatedAt);

    public static async Task<bool> DeleteAsync(WriteSession session, SecretOwner owner, string secretId) =>
        await session.ExecuteAsync(Delete, owner.Tenant, owner.IsTest, secretId) == 1;

    /// <summary>Secrets of all owners, in the order of their keys.</summary>
    public async Task<List<StoredSecret>> PageAsync(StoredSecret? after, int limit, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(Page, after?.Owner.Tenant ?? "", after?.Owner.IsTest ?? false, after?.Id ?? "", (long)limit);
        var page = new List<StoredSecret>();
        while (await rows.ReadAsync(cancellationToken))
            page.Add(new(new(rows.GetString(0), rows.GetBoolean(1)), rows.GetString(2), rows.GetFieldValue<byte[]>(3), rows.GetInt64(4)));
        return page;
    }

    /// <summary>Replaces the seals of values that are still the same.</summary>
    public Task ResealAsync(IReadOnlyCollection<StoredSecret> secrets, CancellationToken cancellationToken) => database.WriteAsync(
        session =>
        {
            foreach (var secret in secrets)
                session.Enqueue(Reseal, secret.Owner.Tenant, secret.Owner.IsTest, secret.Id, secret.Sealed, secret.Version);
            return session.FlushAsync();
        },
        cancellationToken);

    private static SecretRecord Read(DbDataReader row) =>
        new(row.GetString(0), row.GetFieldValue<byte[]>(1), row.GetString(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5));
}

/// <summary>A sealed value and where it belongs.</summary>
internal sealed record StoredSecret(SecretOwner Owner, string Id, byte[] Sealed, long Version);
