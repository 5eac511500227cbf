namespace OpenWop.Micro.Identity.Idempotency;

/// <summary>SQL of the idempotency records; the same text for both engines.</summary>
internal static class RequestRecordQueries
{
    /// <summary>
    /// Claims a record in one statement: a new one, one that has outlived its retention (which makes it new), one that is to be
    /// executed again, or one whose lease has run out. No row comes back when somebody else holds it or it is final.
    /// $1 record, $2 tenant, $3 digest, $4 execution, $5 lease, $6 lease end, $7 now, $8 oldest time that still counts.
    /// </summary>
    public const string Claim = """
        INSERT INTO idempotency_records AS r
            (record_id, tenant, request_digest, execution, state, lease, lease_until, created_at)
        VALUES ($1, $2, $3, $4, 0, $5, $6, $7)
        ON CONFLICT (record_id) DO UPDATE SET
            request_digest = excluded.request_digest,
            execution = CASE WHEN r.created_at <= $8 THEN excluded.execution ELSE r.execution END,
            created_at = CASE WHEN r.created_at <= $8 THEN excluded.created_at ELSE r.created_at END,
            state = 0,
            lease = excluded.lease,
            lease_until = excluded.lease_until,
            status = NULL,
            body = NULL,
            etag = NULL
        WHERE r.created_at <= $8 OR r.state = 2 OR (r.state = 0 AND r.lease_until <= $7)
        RETURNING execution
        """;

    /// <summary>$1 record.</summary>
    public const string Find = """
        SELECT request_digest, state, lease_until, status, body, etag
        FROM idempotency_records
        WHERE record_id = $1
        """;

    /// <summary>$1 record, $2 lease, $3 lease end.</summary>
    public const string Renew = "UPDATE idempotency_records SET lease_until = $3 WHERE record_id = $1 AND lease = $2";

    /// <summary>$1 record, $2 lease, $3 status, $4 body, $5 etag.</summary>
    public const string Finish = """
        UPDATE idempotency_records
        SET state = 1, lease = NULL, lease_until = NULL, status = $3, body = $4, etag = $5
        WHERE record_id = $1 AND lease = $2
        """;

    /// <summary>$1 record, $2 lease.</summary>
    public const string Retry = """
        UPDATE idempotency_records
        SET state = 2, lease = NULL, lease_until = NULL
        WHERE record_id = $1 AND lease = $2
        """;

    /// <summary>$1 record, $2 lease.</summary>
    public const string Discard = "DELETE FROM idempotency_records WHERE record_id = $1 AND lease = $2";

    /// <summary>$1 oldest time that still counts, $2 most rows.</summary>
    public const string DeleteOld = """
        DELETE FROM idempotency_records
        WHERE record_id IN (SELECT record_id FROM idempotency_records WHERE created_at <= $1 ORDER BY created_at LIMIT $2)
        """;

    /// <summary>Tenants with more records than $1, and by how many.</summary>
    public const string Crowded = """
        SELECT tenant, COUNT(*) - $1
        FROM idempotency_records
        GROUP BY tenant
        HAVING COUNT(*) > $1
        """;

    /// <summary>The oldest $2 records of tenant $1.</summary>
    public const string DeleteOldest = """
        DELETE FROM idempotency_records
        WHERE record_id IN (SELECT record_id FROM idempotency_records WHERE tenant = $1 ORDER BY created_at LIMIT $2)
        """;
}
