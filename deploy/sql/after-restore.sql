-- Run it once after a restore of schemas that were dumped one after the other, before any service starts, as superuser or with the rights of the
-- roles whose schemas it touches:
--
--   psql -v ON_ERROR_STOP=1 -d openwop -f after-restore.sql
--
-- It makes the past that each schema remembers fit what the others do.
\set ON_ERROR_STOP on
BEGIN;

-- Whoever follows the runs may have read further than the restored runs reach. New events get positions that nobody has seen yet.
INSERT INTO runs.shard_positions (shard, position)
SELECT shard, max(position) + 1000000000
FROM (
    SELECT shard, 0::bigint AS position FROM runs.shards
    UNION ALL SELECT shard, max(position) FROM runs.run_events GROUP BY shard
    UNION ALL SELECT shard, position FROM runs.shard_positions
) AS known
GROUP BY shard
ON CONFLICT (shard) DO UPDATE SET position = excluded.position;

-- Answers that were given for calls whose effects are not there any more. A call that did have its effect is recognized by the service that
-- acted, which keeps the id of the request with what came of it.
DELETE FROM identity.idempotency_records;

-- Nobody of that time is alive: no reason to wait for the leases to run out.
UPDATE runs.shards SET owner = NULL, address = NULL, expires_at = 0;
DELETE FROM runs.instances;

COMMIT;
