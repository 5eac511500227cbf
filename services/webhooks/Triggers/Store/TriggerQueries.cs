namespace OpenWop.Micro.Webhooks.Triggers.Store;

/// <summary>The SQL of triggers; one text for both dialects.</summary>
internal static class TriggerQueries
{
    private const string Columns = "id, tenant, is_test, principal, spec, status, positions, created_at, updated_at";

    public const string Find = $"SELECT {Columns} FROM triggers WHERE id = $1 AND tenant = $2 AND is_test = $3";

    public const string FindById = $"SELECT {Columns} FROM triggers WHERE id = $1";

    public const string FindByRequest = $"SELECT {Columns} FROM triggers WHERE tenant = $1 AND request_id = $2";

    public const string List = $"SELECT {Columns} FROM triggers WHERE tenant = $1 AND is_test = $2 AND id > $3 ORDER BY id LIMIT $4";

    /// <summary>Those of everybody that are active.</summary>
    public const string ListActive = $"SELECT {Columns} FROM triggers WHERE status = 'active' AND id > $1 ORDER BY id LIMIT $2";

    /// <summary>At most $2 are counted.</summary>
    public const string CountUpTo = "SELECT count(*) FROM (SELECT 1 FROM triggers WHERE tenant = $1 LIMIT $2) counted";

    public const string Insert = """
        INSERT INTO triggers (id, tenant, is_test, principal, request_id, spec, status, positions, free_at, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, 0, $8, $8)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Another spec, unless somebody has changed it meanwhile.</summary>
    public const string SetSpec = "UPDATE triggers SET spec = $5, updated_at = $6 WHERE id = $1 AND tenant = $2 AND is_test = $3 AND spec = $4";

    public const string SetStatus = "UPDATE triggers SET status = $4, positions = $5, updated_at = $6 WHERE id = $1 AND tenant = $2 AND is_test = $3";

    public const string Delete = "DELETE FROM triggers WHERE id = $1 AND tenant = $2 AND is_test = $3";

    public const string FreeAt = "SELECT free_at FROM triggers WHERE id = $1";

    /// <summary>Keeps others from taking of the allowance until the transaction ends; SQLite has one writer anyway.</summary>
    public const string LockFreeAt = FreeAt + " FOR UPDATE";

    public const string SetFreeAt = "UPDATE triggers SET free_at = $2 WHERE id = $1";
}
