namespace OpenWop.Micro.Webhooks.Retention;

/// <summary>The SQL of the sweeper; one text for both dialects.</summary>
internal static class SweepQueries
{
    public const string DeleteSettled = """
        DELETE FROM deliveries WHERE delivery_id IN (
            SELECT delivery_id FROM deliveries WHERE status = $1 AND settled_at IS NOT NULL AND settled_at < $2 ORDER BY settled_at LIMIT $3)
        RETURNING delivery_id
        """;

    public const string DeleteAttempts = "DELETE FROM attempts WHERE delivery_id = $1";

    /// <summary>Whoever has deliveries, and what has become of the subscription; jumps along the index.</summary>
    public const string Owners = """
        WITH RECURSIVE owners (webhook_id) AS (
            SELECT min(webhook_id) FROM deliveries
            UNION ALL
            SELECT (SELECT min(d.webhook_id) FROM deliveries d WHERE d.webhook_id > o.webhook_id) FROM owners o WHERE o.webhook_id IS NOT NULL)
        SELECT o.webhook_id, s.status FROM owners o LEFT JOIN subscriptions s ON s.webhook_id = o.webhook_id
        WHERE o.webhook_id IS NOT NULL
        """;

    public const string DeleteOfNobody = """
        DELETE FROM deliveries WHERE delivery_id IN (
            SELECT delivery_id FROM deliveries WHERE webhook_id = $1 ORDER BY created_at LIMIT $2)
        RETURNING delivery_id
        """;

    public const string DeleteLanes = "DELETE FROM lanes WHERE webhook_id = $1";

    /// <summary>Deliveries that have waited for too long.</summary>
    public const string GiveUp = """
        UPDATE deliveries SET status = 'dead', settled_at = $3
        WHERE delivery_id IN (
            SELECT delivery_id FROM deliveries WHERE webhook_id = $1 AND created_at < $2 AND status = 'pending' ORDER BY created_at LIMIT $4)
        RETURNING run_id
        """;

    public const string ShortenLane = "UPDATE lanes SET pending = pending - 1 WHERE webhook_id = $1 AND run_id = $2";
}
