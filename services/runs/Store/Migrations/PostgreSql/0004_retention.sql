-- When a run's log was removed; the row stays for a while so that readers learn it.
ALTER TABLE runs ADD COLUMN expired_at bigint; -- Unix ms

CREATE INDEX runs_ended ON runs (shard, updated_at) WHERE status IN ('completed', 'failed', 'cancelled') AND expired_at IS NULL;
CREATE INDEX runs_expired ON runs (shard, expired_at) WHERE expired_at IS NOT NULL;

-- The last position that a shard has given out, as of its last removal: the newest events may be among those removed.
CREATE TABLE shard_positions (
    shard    bigint  NOT NULL PRIMARY KEY,
    position bigint  NOT NULL
);
