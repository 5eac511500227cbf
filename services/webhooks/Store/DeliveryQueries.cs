namespace OpenWop.Micro.Webhooks.Store;

/// <summary>The SQL of lanes, deliveries and attempts.</summary>
internal static class DeliveryQueries
{
    /// <summary>Moves the cursor on if nobody else has; the first time there is none.</summary>
    public const string MoveCursor = """
        INSERT INTO cursors (shard, position) VALUES ($1, $3)
        ON CONFLICT (shard) DO UPDATE SET position = excluded.position WHERE cursors.position = $2
        """;

    public const string Cursor = "SELECT position FROM cursors WHERE shard = $1";

    public const string InsertDelivery = """
        INSERT INTO deliveries (delivery_id, webhook_id, run_id, sequence, event_type, body, status, attempts, created_at, traceparent)
        VALUES ($1, $2, $3, $4, $5, $6, 'pending', 0, $7, $8)
        ON CONFLICT (delivery_id) DO NOTHING
        """;

    public const string ExtendLane = """
        INSERT INTO lanes (webhook_id, run_id, due_at, pending) VALUES ($1, $2, $3, $4)
        ON CONFLICT (webhook_id, run_id) DO UPDATE SET pending = lanes.pending + excluded.pending
        """;

    /// <summary>
    /// The subscriptions with lanes, and when the first lane of each is due. Jumps along the index from one subscription to the next, so
    /// that a subscription with a million lanes costs as much as one with a single lane.
    /// </summary>
    public const string Busy = """
        WITH RECURSIVE busy (webhook_id) AS (
            SELECT min(webhook_id) FROM lanes
            UNION ALL
            SELECT (SELECT min(l.webhook_id) FROM lanes l WHERE l.webhook_id > b.webhook_id) FROM busy b WHERE b.webhook_id IS NOT NULL)
        SELECT s.webhook_id, (SELECT min(l.due_at) FROM lanes l WHERE l.webhook_id = s.webhook_id), s.blocked_until, s.consecutive_failures
        FROM busy b JOIN subscriptions s ON s.webhook_id = b.webhook_id
        WHERE s.status = 'active'
        """;

    /// <summary>Of those who want to find out whether a receiver is back, one does.</summary>
    public const string BeginProbe = "UPDATE subscriptions SET blocked_until = $3 WHERE webhook_id = $1 AND blocked_until = $2";

    private const string Due = "SELECT run_id FROM lanes WHERE webhook_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3";

    public const string Claim = $"UPDATE lanes SET due_at = $4, claim = $5 WHERE webhook_id = $1 AND run_id IN ({Due}) RETURNING run_id, pending";

    /// <summary>The same where there are several writers.</summary>
    public const string ClaimUnlocked = $"UPDATE lanes SET due_at = $4, claim = $5 WHERE webhook_id = $1 AND run_id IN ({Due} FOR UPDATE SKIP LOCKED) RETURNING run_id, pending";

    /// <summary>The next delivery of a lane, as long as its subscription wants it.</summary>
    public const string Head = """
        SELECT d.delivery_id, d.sequence, d.event_type, d.body, d.attempts, d.traceparent, d.created_at
        FROM deliveries d JOIN subscriptions s ON s.webhook_id = d.webhook_id
        WHERE d.webhook_id = $1 AND d.run_id = $2 AND d.status = 'pending' AND s.status = 'active'
        ORDER BY d.sequence LIMIT 1
        """;

    /// <summary>A lane that counts deliveries which are not there; unless some have come meanwhile.</summary>
    public const string DropLane = """
        DELETE FROM lanes WHERE webhook_id = $1 AND run_id = $2 AND claim = $3 AND pending = $4
            AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook_id = $1 AND d.run_id = $2 AND d.status = 'pending')
        """;

    public const string MoveLane = """
        UPDATE lanes SET pending = pending - $4, due_at = $5, claim = $6 WHERE webhook_id = $1 AND run_id = $2 AND claim = $3
        RETURNING pending
        """;

    /// <summary>
    /// Both conditions: the rows may not show what another transaction is about to commit, but then it has counted it in the lane; and a
    /// count may be off by what was given up in the middle of an attempt.
    /// </summary>
    public const string DropEmptyLane = """
        DELETE FROM lanes WHERE webhook_id = $1 AND run_id = $2 AND pending <= 0
            AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook_id = $1 AND d.run_id = $2 AND d.status = 'pending')
        """;

    public const string SettleDelivery = "UPDATE deliveries SET status = $2, attempts = $3, settled_at = $4 WHERE delivery_id = $1 AND status = 'pending'";

    public const string InsertAttempt = """
        INSERT INTO attempts (delivery_id, number, started_at, duration_ms, status_code, error) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (delivery_id, number) DO NOTHING
        """;

    /// <summary>After a success; most of the time there is nothing to forget.</summary>
    public const string CloseCircuit = """
        UPDATE subscriptions SET consecutive_failures = 0, opened_at = 0, blocked_until = 0
        WHERE webhook_id = $1 AND (consecutive_failures <> 0 OR blocked_until <> 0) AND status <> 'failed'
        """;
}
