namespace OpenWop.Micro.Webhooks.Store;

/// <summary>The SQL of subscriptions; one text for both dialects.</summary>
internal static class SubscriptionQueries
{
    private const string Columns = """
        webhook_id, tenant, test, url, events, tags, secret, fingerprint, previous_secret, previous_until,
        positions, status, consecutive_failures, opened_at, failures, created_at
        """;

    public const string All = $"SELECT {Columns} FROM subscriptions WHERE status <> 'failed' AND webhook_id > $1 ORDER BY webhook_id LIMIT $2";

    /// <summary>Also those that have failed.</summary>
    public const string ListAll = $"SELECT {Columns} FROM subscriptions WHERE webhook_id > $1 ORDER BY webhook_id LIMIT $2";

    /// <summary>The same secrets under another key; nothing when somebody has given the webhook a new one meanwhile.</summary>
    public const string SealAgain = "UPDATE subscriptions SET secret = $3, previous_secret = $4 WHERE webhook_id = $1 AND secret = $2";

    public const string Find = $"SELECT {Columns} FROM subscriptions WHERE webhook_id = $1 AND tenant = $2 AND test = $3";

    public const string FindById = $"SELECT {Columns} FROM subscriptions WHERE webhook_id = $1";

    /// <summary>Keeps others from changing it until the transaction ends; SQLite has one writer anyway.</summary>
    public const string Lock = FindById + " FOR UPDATE";

    public const string FindByRequest = $"SELECT {Columns} FROM subscriptions WHERE tenant = $1 AND request_id = $2";

    public const string List = $"SELECT {Columns} FROM subscriptions WHERE tenant = $1 AND test = $2 AND webhook_id > $3 ORDER BY webhook_id LIMIT $4";

    public const string CountUpTo = "SELECT count(*) FROM (SELECT 1 FROM subscriptions WHERE tenant = $1 LIMIT $2) AS counted";

    public const string Insert = """
        INSERT INTO subscriptions (webhook_id, tenant, test, request_id, url, events, tags, secret, fingerprint, previous_secret,
            previous_until, positions, status, blocked_until, consecutive_failures, opened_at, failures, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, 0, $10, 'active', 0, 0, 0, '[]', $11)
        ON CONFLICT DO NOTHING
        """;

    public const string Delete = "DELETE FROM subscriptions WHERE webhook_id = $1 AND tenant = $2 AND test = $3";

    /// <summary>The secret that is replaced signs too until $4. A request that comes again replaces nothing.</summary>
    public const string SetSecret = """
        UPDATE subscriptions SET previous_secret = secret, previous_until = $4, secret = $5, fingerprint = $6, rotation_id = $7
        WHERE webhook_id = $1 AND tenant = $2 AND test = $3 AND NOT coalesce(rotation_id = $7, FALSE)
        """;

    public const string SetStatus = "UPDATE subscriptions SET status = $4 WHERE webhook_id = $1 AND tenant = $2 AND test = $3 AND status <> 'failed'";

    public const string SetCircuit = """
        UPDATE subscriptions SET consecutive_failures = $2, opened_at = $3, failures = $4, blocked_until = $5, status = $6
        WHERE webhook_id = $1
        """;

    public const string Revision = "SELECT value FROM revisions WHERE id = 1";

    public const string NextRevision = "UPDATE revisions SET value = value + 1 WHERE id = 1";
}
