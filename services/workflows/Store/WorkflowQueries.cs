namespace OpenWop.Micro.Workflows.Store;

/// <summary>The SQL of definitions; one text for both dialects.</summary>
internal static class WorkflowQueries
{
    /// <summary>The head that a tenant sees: its own, else the seeded one.</summary>
    public const string VisibleHead = """
        SELECT v.owner, v.version, v.etag, v.document
        FROM workflow_heads h
        JOIN workflow_versions v ON v.owner = h.owner AND v.workflow_id = h.workflow_id AND v.version = h.version
        WHERE h.workflow_id = $2 AND h.owner IN ($1, '*')
        ORDER BY CASE WHEN h.owner = $1 THEN 0 ELSE 1 END
        LIMIT 1
        """;

    public const string Version = """
        SELECT owner, version, etag, document
        FROM workflow_versions
        WHERE owner = $1 AND workflow_id = $2 AND version = $3
        """;

    public const string OwnHead = """
        SELECT v.version, v.etag
        FROM workflow_heads h
        JOIN workflow_versions v ON v.owner = h.owner AND v.workflow_id = h.workflow_id AND v.version = h.version
        WHERE h.owner = $1 AND h.workflow_id = $2
        """;

    public const string InsertVersion = """
        INSERT INTO workflow_versions (owner, workflow_id, version, etag, document, created_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """;

    public const string UpsertHead = """
        INSERT INTO workflow_heads (owner, workflow_id, version) VALUES ($1, $2, $3)
        ON CONFLICT (owner, workflow_id) DO UPDATE SET version = excluded.version
        """;

    public const string FindRequest = """
        SELECT r.version, r.created, v.etag
        FROM workflow_requests r
        JOIN workflow_versions v ON v.owner = r.owner AND v.workflow_id = r.workflow_id AND v.version = r.version
        WHERE r.owner = $1 AND r.request_id = $2
        """;

    public const string InsertRequest = """
        INSERT INTO workflow_requests (owner, request_id, workflow_id, version, created, created_at) VALUES ($1, $2, $3, $4, $5, $6)
        """;

    /// <summary>Heads visible to a tenant after an id; a tenant's own definition hides the seeded one.</summary>
    public const string ListVisible = """
        SELECT v.workflow_id, v.owner, v.version, v.etag, v.document
        FROM workflow_heads h
        JOIN workflow_versions v ON v.owner = h.owner AND v.workflow_id = h.workflow_id AND v.version = h.version
        WHERE h.owner IN ($1, '*') AND h.workflow_id > $2
          AND (h.owner = $1 OR NOT EXISTS (SELECT 1 FROM workflow_heads own WHERE own.owner = $1 AND own.workflow_id = h.workflow_id))
        ORDER BY h.workflow_id
        LIMIT $3
        """;
}
