namespace OpenWop.Micro.Workflows.Store;

/// <summary>The SQL of definitions; one text for both dialects.</summary>
internal static class WorkflowQueries
{
    /// <summary>The head that a tenant sees: its own, else the seeded one.</summary>
    public const string VisibleHead = """
        SELECT v.owner, v.version, v.etag, v.document
        FROM workflow_heads h
        JOIN workflow_versions v ON v.owner = h.owner AND v.workflow_id = h.workflow_id AND v.version = h.version
        WHERE h.workflow_id = $2 AND h.owner IN ($1, '*') AND h.deleted_at IS NULL
        ORDER BY CASE WHEN h.owner = $1 THEN 0 ELSE 1 END
        LIMIT 1
        """;

    /// <summary>A version that a tenant sees: of its own definition when there is one, else of the seeded one.</summary>
    public const string VisibleVersion = """
        SELECT v.owner, v.version, v.etag, v.document
        FROM workflow_versions v
        WHERE v.workflow_id = $2 AND v.version = $3
          AND v.owner = CASE WHEN EXISTS (SELECT 1 FROM workflow_heads h WHERE h.owner = $1 AND h.workflow_id = $2 AND h.deleted_at IS NULL) THEN $1 ELSE '*' END
        """;

    /// <summary>A version of exactly one owner.</summary>
    public const string Version = """
        SELECT owner, version, etag, document
        FROM workflow_versions
        WHERE owner = $1 AND workflow_id = $2 AND version = $3
        """;

    /// <summary>
    /// The version of the head, which is locked until the end of the transaction: whoever writes the same workflow waits. A
    /// workflow that is new gets version 0 for the moment.
    /// </summary>
    public const string LockHead = """
        INSERT INTO workflow_heads (owner, workflow_id, version) VALUES ($1, $2, 0)
        ON CONFLICT (owner, workflow_id) DO UPDATE SET version = workflow_heads.version
        RETURNING version, deleted_at
        """;

    public const string ETagOfVersion = """
        SELECT etag FROM workflow_versions WHERE owner = $1 AND workflow_id = $2 AND version = $3
        """;

    public const string InsertVersion = """
        INSERT INTO workflow_versions (owner, workflow_id, version, etag, document, created_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """;

    public const string MoveHead = """
        UPDATE workflow_heads SET version = $3, name = $4, deleted_at = NULL WHERE owner = $1 AND workflow_id = $2
        """;

    public const string DeleteHead = """
        UPDATE workflow_heads SET deleted_at = $3 WHERE owner = $1 AND workflow_id = $2
        """;

    /// <summary>The head of exactly one owner.</summary>
    public const string OwnHead = """
        SELECT v.owner, v.version, v.etag, v.document
        FROM workflow_heads h
        JOIN workflow_versions v ON v.owner = h.owner AND v.workflow_id = h.workflow_id AND v.version = h.version
        WHERE h.owner = $1 AND h.workflow_id = $2 AND h.deleted_at IS NULL
        """;

    /// <summary>Heads of exactly one owner after an id.</summary>
    public const string ListOwn = """
        SELECT workflow_id, version, name
        FROM workflow_heads
        WHERE owner = $1 AND workflow_id > $2 AND deleted_at IS NULL
        ORDER BY workflow_id LIMIT $3
        """;

    /// <summary>Facts about the versions of a workflow after one of them.</summary>
    public const string ListVersions = """
        SELECT version, etag, created_at, created_by
        FROM workflow_versions
        WHERE owner = $1 AND workflow_id = $2 AND version > $3
        ORDER BY version LIMIT $4
        """;

    public const string FindRequest = """
        SELECT r.workflow_id, r.version, r.created, v.etag
        FROM workflow_requests r
        JOIN workflow_versions v ON v.owner = r.owner AND v.workflow_id = r.workflow_id AND v.version = r.version
        WHERE r.owner = $1 AND r.request_id = $2
        """;

    public const string InsertRequest = """
        INSERT INTO workflow_requests (owner, request_id, workflow_id, version, created, created_at) VALUES ($1, $2, $3, $4, $5, $6)
        """;

    public const string ForgetRequests = """
        DELETE FROM workflow_requests WHERE created_at < $1
        """;

    /// <summary>Heads visible to a tenant after an id: the facts, and how large each document is.</summary>
    public const string ListVisible = $"""
        SELECT v.workflow_id, v.owner, v.version, v.etag, LENGTH(v.document)
        {FromVisible}
        """;

    /// <summary>The same heads with their documents.</summary>
    public const string ListVisibleDocuments = $"""
        SELECT v.workflow_id, v.owner, v.version, v.etag, v.document
        {FromVisible}
        """;

    /// <summary>
    /// A tenant's own definition hides the seeded one. Two ranges of the primary key, each no longer than the page, and merged: what
    /// lies beyond the page is not looked at.
    /// </summary>
    private const string FromVisible = """
        FROM (
            SELECT * FROM (
                SELECT owner, workflow_id, version FROM workflow_heads
                WHERE owner = $1 AND workflow_id > $2 AND deleted_at IS NULL
                ORDER BY workflow_id LIMIT $3
            ) own
            UNION ALL
            SELECT * FROM (
                SELECT s.owner, s.workflow_id, s.version FROM workflow_heads s
                WHERE s.owner = '*' AND s.workflow_id > $2
                  AND NOT EXISTS (SELECT 1 FROM workflow_heads o WHERE o.owner = $1 AND o.workflow_id = s.workflow_id AND o.deleted_at IS NULL)
                ORDER BY s.workflow_id LIMIT $3
            ) seeded
        ) h
        JOIN workflow_versions v ON v.owner = h.owner AND v.workflow_id = h.workflow_id AND v.version = h.version
        ORDER BY v.workflow_id
        LIMIT $3
        """;
}
