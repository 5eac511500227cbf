namespace OpenWop.Micro.Webhooks.Store;

/// <summary>The SQL of what callers see of deliveries; one text for both dialects.</summary>
internal static class HistoryQueries
{
    private const string Columns = "delivery_id, run_id, sequence, event_type, status, attempts, created_at, coalesce(settled_at, 0)";

    public const string List = $"""
        SELECT {Columns} FROM deliveries
        WHERE webhook_id = $1 AND (created_at < $2 OR (created_at = $2 AND delivery_id < $3)) AND created_at <= $2
        ORDER BY created_at DESC, delivery_id DESC LIMIT $4
        """;

    /// <summary>The same with one status.</summary>
    public const string ListByStatus = $"""
        SELECT {Columns} FROM deliveries
        WHERE webhook_id = $1 AND (created_at < $2 OR (created_at = $2 AND delivery_id < $3)) AND created_at <= $2 AND status = $5
        ORDER BY created_at DESC, delivery_id DESC LIMIT $4
        """;

    public const string Find = $"SELECT {Columns}, body FROM deliveries WHERE delivery_id = $1 AND webhook_id = $2";

    public const string Attempts = "SELECT number, started_at, duration_ms, status_code, error FROM attempts WHERE delivery_id = $1 ORDER BY number";

    public const string CountPending = """
        SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE webhook_id = $1 AND status = 'pending' LIMIT $2) AS counted
        """;

    public const string Revive = """
        UPDATE deliveries SET status = 'pending', settled_at = NULL WHERE delivery_id = $1 AND webhook_id = $2 AND status = 'dead'
        RETURNING run_id
        """;
}
