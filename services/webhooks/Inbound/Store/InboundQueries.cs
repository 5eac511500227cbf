namespace OpenWop.Micro.Webhooks.Inbound.Store;

/// <summary>The SQL of inbound webhooks; one text for both dialects.</summary>
internal static class InboundQueries
{
    private const string Columns = "id, tenant, is_test, token, principal, spec, secret, previous_secret, previous_until, created_at, rotation_id";

    public const string Find = $"SELECT {Columns} FROM inbound_webhooks WHERE id = $1 AND tenant = $2 AND is_test = $3";

    public const string FindByToken = $"SELECT {Columns} FROM inbound_webhooks WHERE token = $1";

    public const string FindByRequest = $"SELECT {Columns} FROM inbound_webhooks WHERE tenant = $1 AND request_id = $2";

    public const string List = $"SELECT {Columns} FROM inbound_webhooks WHERE tenant = $1 AND is_test = $2 AND id > $3 ORDER BY id LIMIT $4";

    /// <summary>At most $2 are counted.</summary>
    public const string CountUpTo = "SELECT count(*) FROM (SELECT 1 FROM inbound_webhooks WHERE tenant = $1 LIMIT $2) counted";

    public const string Insert = """
        INSERT INTO inbound_webhooks (id, tenant, is_test, path, token, principal, spec, secret, previous_until, created_at, request_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Another spec, unless somebody has changed it meanwhile.</summary>
    public const string SetSpec = """
        UPDATE inbound_webhooks SET spec = $5, path = $6
        WHERE id = $1 AND tenant = $2 AND is_test = $3 AND spec = $4
            AND NOT EXISTS (SELECT 1 FROM inbound_webhooks o WHERE o.tenant = $2 AND o.is_test = $3 AND o.path = $6 AND o.id <> $1)
        """;

    /// <summary>The secret that is replaced is good until $5. A request that comes again replaces nothing.</summary>
    public const string SetSecret = """
        UPDATE inbound_webhooks SET previous_secret = secret, previous_until = $5, secret = $4, rotation_id = $6
        WHERE id = $1 AND tenant = $2 AND is_test = $3 AND NOT coalesce(rotation_id = $6, FALSE)
        """;

    /// <summary>Webhooks of everybody.</summary>
    public const string ListAll = $"SELECT {Columns} FROM inbound_webhooks WHERE id > $1 ORDER BY id LIMIT $2";

    /// <summary>The same secrets under another key; nothing when somebody has given the webhook a new one meanwhile.</summary>
    public const string SealAgain = "UPDATE inbound_webhooks SET secret = $3, previous_secret = $4 WHERE id = $1 AND secret = $2";

    public const string Delete = "DELETE FROM inbound_webhooks WHERE id = $1 AND tenant = $2 AND is_test = $3";

    public const string DeleteDeliveries = "DELETE FROM inbound_deliveries WHERE webhook_id = $1";

    public const string FindRun = "SELECT run_id FROM inbound_deliveries WHERE webhook_id = $1 AND delivery_key = $2";

    public const string Accept = """
        INSERT INTO inbound_deliveries (webhook_id, delivery_key, run_id, received_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (webhook_id, delivery_key) DO NOTHING
        """;

    /// <summary>Newest first.</summary>
    public const string ListDeliveries = """
        SELECT delivery_key, run_id, received_at FROM inbound_deliveries
        WHERE webhook_id = $1 AND received_at <= $2 AND (received_at < $2 OR delivery_key < $3)
        ORDER BY received_at DESC, delivery_key DESC LIMIT $4
        """;

    /// <summary>Old deliveries, a piece at a time.</summary>
    public const string Forget = """
        DELETE FROM inbound_deliveries WHERE (webhook_id, delivery_key) IN (
            SELECT webhook_id, delivery_key FROM inbound_deliveries WHERE received_at < $1 ORDER BY received_at LIMIT $2)
        """;
}
