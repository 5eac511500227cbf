namespace OpenWop.Micro.Webhooks.Triggers.Store;

/// <summary>The SQL of firings.</summary>
internal static class FiringQueries
{
    private const string Columns = """
        firing_id, trigger_id, source_run_id, sequence, event_type, workflow_id, document, lineage, status, reason, run_id, attempts, created_at, settled_at
        """;

    public const string Insert = """
        INSERT INTO firings (firing_id, trigger_id, source_run_id, sequence, event_type, workflow_id, document, lineage, status, reason, attempts, due_at, created_at, settled_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13)
        ON CONFLICT (firing_id) DO NOTHING
        """;

    public const string NextDue = "SELECT min(due_at) FROM firings WHERE due_at IS NOT NULL";

    private const string Due = "SELECT firing_id FROM firings WHERE due_at <= $1 ORDER BY due_at LIMIT $2";

    public const string Claim = $"UPDATE firings SET due_at = $3, claim = $4 WHERE firing_id IN ({Due}) RETURNING {Columns}";

    /// <summary>The same where there are several writers.</summary>
    public const string ClaimUnlocked = $"UPDATE firings SET due_at = $3, claim = $4 WHERE firing_id IN ({Due} FOR UPDATE SKIP LOCKED) RETURNING {Columns}";

    /// <summary>The outcome of an attempt; nothing when somebody else has the claim by now. What has failed keeps its event.</summary>
    public const string Settle = """
        UPDATE firings SET status = $3, reason = $4, run_id = $5, attempts = $6, due_at = $7, settled_at = $8, claim = NULL,
            document = CASE WHEN CAST($3 AS BIGINT) IN (0, 2) THEN document END
        WHERE firing_id = $1 AND claim = $2
        """;

    public const string Remove = "DELETE FROM firings WHERE firing_id = $1 AND claim = $2";

    /// <summary>Newest first.</summary>
    public const string List = $"""
        SELECT {Columns} FROM firings
        WHERE trigger_id = $1 AND created_at <= $2 AND (created_at < $2 OR firing_id < $3)
        ORDER BY created_at DESC, firing_id DESC LIMIT $4
        """;

    public const string Find = $"SELECT {Columns} FROM firings WHERE firing_id = $1 AND trigger_id = $2";

    /// <summary>A failed one begins anew.</summary>
    public const string Revive = """
        UPDATE firings SET status = 0, due_at = $3, settled_at = NULL, attempts = 0, reason = NULL
        WHERE firing_id = $1 AND trigger_id = $2 AND status = 2
        """;

    /// <summary>Old ones, a piece at a time.</summary>
    public const string Forget = """
        DELETE FROM firings WHERE firing_id IN (
            SELECT firing_id FROM firings WHERE settled_at IS NOT NULL AND settled_at < $1 ORDER BY settled_at LIMIT $2)
        """;
}
