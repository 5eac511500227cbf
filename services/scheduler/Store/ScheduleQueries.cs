namespace OpenWop.Micro.Scheduler.Store;

/// <summary>The SQL of schedules; one text for both dialects but where it says otherwise.</summary>
internal static class ScheduleQueries
{
    private const string Columns =
        "uid, tenant, is_test, id, principal, spec, revision, settled_until, next_fire_at, delay, driven, last_slot, last_fired_at, last_run_id, created_at, updated_at";

    public const string Find = $"SELECT {Columns} FROM schedules WHERE tenant = $1 AND is_test = $2 AND id = $3";

    public const string FindByUid = $"SELECT {Columns} FROM schedules WHERE uid = $1";

    /// <summary>PostgreSQL.</summary>
    public const string FindByUids = $"SELECT {Columns} FROM schedules WHERE uid = ANY ($1)";

    public const string List = $"SELECT {Columns} FROM schedules WHERE tenant = $1 AND is_test = $2 AND id > $3 ORDER BY id LIMIT $4";

    /// <summary>At most $2 are counted.</summary>
    public const string CountUpTo = "SELECT count(*) FROM (SELECT 1 FROM schedules WHERE tenant = $1 LIMIT $2) counted";

    public const string Insert = """
        INSERT INTO schedules (uid, tenant, is_test, id, part, principal, spec, revision, settled_until, next_fire_at, delay, driven, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $12)
        ON CONFLICT (tenant, is_test, id) DO NOTHING
        """;

    public const string Update = """
        UPDATE schedules SET spec = $3, settled_until = $4, next_fire_at = $5, delay = $6, updated_at = $7, revision = revision + 1
        WHERE uid = $1 AND revision = $2
        """;

    public const string Delete = "DELETE FROM schedules WHERE tenant = $1 AND is_test = $2 AND id = $3 RETURNING uid";

    public const string DeleteFires = "DELETE FROM fires WHERE uid = $1";

    /// <summary>What fires in a part within a span of time, soonest first.</summary>
    public const string Upcoming = """
        SELECT uid, next_fire_at FROM schedules
        WHERE part = $1 AND next_fire_at > $2 AND next_fire_at <= $3
        ORDER BY next_fire_at
        """;

    /// <summary>One row of <see cref="Claim"/> on SQLite.</summary>
    public const string ClaimOne = """
        UPDATE schedules SET settled_until = $3, next_fire_at = $4, driven = $5, revision = revision + 1
        WHERE uid = $1 AND revision = $2
        """;

    /// <summary>
    /// PostgreSQL: those of the given rows that are still at their revisions; uids come back. Rows are locked in the order of uids, and
    /// always before the rows of their slots, so that nobody waits in a circle.
    /// </summary>
    public const string Claim = """
        WITH wanted AS (
            SELECT s.uid, w.settled_until, w.next_fire_at, w.driven
            FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS w (uid, revision, settled_until, next_fire_at, driven)
            JOIN schedules s ON s.uid = w.uid AND s.revision = w.revision
            ORDER BY s.uid
            FOR UPDATE OF s
        )
        UPDATE schedules SET settled_until = wanted.settled_until, next_fire_at = wanted.next_fire_at, driven = wanted.driven, revision = revision + 1
        FROM wanted WHERE schedules.uid = wanted.uid
        RETURNING schedules.uid
        """;

    /// <summary>Never back: runs of an older slot may be made later.</summary>
    public const string NoteRun = """
        UPDATE schedules SET last_slot = $2, last_run_id = $3, last_fired_at = $4
        WHERE uid = $1 AND (last_slot IS NULL OR last_slot < $2)
        """;
}

/// <summary>The SQL of claimed slots.</summary>
internal static class FireQueries
{
    private const string Columns = "uid, tenant, is_test, schedule_id, slot, status, run_id, error, attempts, settled_at, reported";

    public const string Find = $"SELECT {Columns} FROM fires WHERE uid = $1 AND slot = $2";

    public const string Insert = """
        INSERT INTO fires (uid, slot, tenant, is_test, schedule_id, part, status, attempts, next_attempt_at, claimed_at, reported)
        VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7, $8, 0)
        ON CONFLICT (uid, slot) DO NOTHING
        """;

    public const string Start = "UPDATE fires SET status = 1 WHERE uid = $1 AND slot = $2 AND status = 0";

    public const string Settle = """
        UPDATE fires SET status = $3, run_id = $4, error = $5, settled_at = $6, next_attempt_at = NULL
        WHERE uid = $1 AND slot = $2 AND next_attempt_at IS NOT NULL
        """;

    public const string Postpone = """
        UPDATE fires SET attempts = $3, error = $4, next_attempt_at = $5
        WHERE uid = $1 AND slot = $2 AND next_attempt_at IS NOT NULL
        """;

    public const string Report = "UPDATE fires SET reported = 1 WHERE uid = $1 AND slot = $2 AND reported = 0";

    public const string ToMake = $"SELECT {Columns} FROM fires WHERE part = $1 AND next_attempt_at <= $2 ORDER BY next_attempt_at LIMIT $3";

    public const string History = $"SELECT {Columns} FROM fires WHERE uid = $1 AND slot < $2 ORDER BY slot DESC LIMIT $3";

    /// <summary>The run of the slot before.</summary>
    public const string PreviousRun = "SELECT run_id FROM fires WHERE uid = $1 AND slot < $2 AND run_id IS NOT NULL ORDER BY slot DESC LIMIT 1";

    public const string OfMinute = $"SELECT {Columns} FROM fires WHERE tenant = $1 AND is_test = $2 AND slot >= $3 AND slot < $4";

    /// <summary>Old history, a piece at a time.</summary>
    public const string Forget = """
        DELETE FROM fires WHERE (uid, slot) IN (
            SELECT uid, slot FROM fires WHERE claimed_at < $1 AND next_attempt_at IS NULL ORDER BY claimed_at LIMIT $2)
        """;
}
