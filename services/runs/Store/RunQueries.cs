namespace OpenWop.Micro.Runs.Store;

/// <summary>The SQL of runs and their log; one text for both dialects.</summary>
internal static class RunQueries
{
    public const string FindRequest = "SELECT run_id FROM run_requests WHERE tenant = $1 AND request_id = $2";

    public const string InsertRequest = """
        INSERT INTO run_requests (tenant, request_id, run_id, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant, request_id) DO NOTHING
        """;

    public const string DeleteRequest = "DELETE FROM run_requests WHERE tenant = $1 AND request_id = $2 AND run_id = $3";

    public const string FindScope = "SELECT run_id FROM run_scopes WHERE tenant = $1 AND scope_id = $2";

    public const string InsertScope = """
        INSERT INTO run_scopes (tenant, scope_id, run_id) VALUES ($1, $2, $3)
        ON CONFLICT (tenant, scope_id) DO NOTHING
        """;

    public const string DeleteScope = "DELETE FROM run_scopes WHERE tenant = $1 AND scope_id = $2 AND run_id = $3";

    /// <summary>Of the log, or of what was removed from it.</summary>
    public const string LastPosition = """
        SELECT max(position) FROM (
            SELECT max(position) AS position FROM run_events WHERE shard = $1
            UNION ALL
            SELECT position FROM shard_positions WHERE shard = $1) AS positions
        """;

    public const string InsertRun = """
        INSERT INTO runs (run_id, shard, tenant, test, workflow_id, scope_id, status, last_sequence, active, wake_at, created_at, updated_at, parent_run_id, root_run_id, tags, own_from, state, lineage, traceparent)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, $14, $15, $16, $17, $18)
        """;

    public const string InsertTag = """
        INSERT INTO run_tags (run_id, tag, tenant, test, created_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (run_id, tag) DO NOTHING
        """;

    public const string UpdateRun = """
        UPDATE runs SET status = $2, last_sequence = $3, active = $4, wake_at = $5, updated_at = $6, state = $7
        WHERE run_id = $1
        """;

    public const string InsertEvent = """
        INSERT INTO run_events (run_id, sequence, shard, position, type, document, facts)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """;

    public const string UpsertState = """
        INSERT INTO run_states (run_id, sequence, state) VALUES ($1, $2, $3)
        ON CONFLICT (run_id) DO UPDATE SET sequence = excluded.sequence, state = excluded.state
        """;

    public const string FindRun = "SELECT shard, tenant, test, workflow_id, status, last_sequence, expired_at FROM runs WHERE run_id = $1";

    public const string CountDescendants = "SELECT count(*) FROM (SELECT 1 FROM runs WHERE root_run_id = $1 LIMIT $2) AS tree";

    public const string FindState = "SELECT state FROM run_states WHERE run_id = $1";

    public const string EventsAfter = "SELECT sequence, type, document, facts FROM run_events WHERE run_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";

    public const string ActiveRuns = "SELECT run_id FROM runs WHERE shard = $1 AND active = 1 AND run_id > $2 ORDER BY run_id LIMIT $3";

    public const string DueRuns = "SELECT run_id, wake_at FROM runs WHERE shard = $1 AND wake_at <= $2 ORDER BY wake_at LIMIT $3";
}
