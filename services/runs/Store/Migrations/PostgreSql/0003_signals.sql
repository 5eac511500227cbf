-- What runs tell each other: written with the sender's append, removed with the receiver's.
CREATE TABLE run_signals (
    target_shard    bigint NOT NULL,
    target_run      TEXT NOT NULL,
    source_run      TEXT NOT NULL,
    source_sequence bigint NOT NULL, -- where the sender's log stood
    kind            TEXT NOT NULL,
    payload         bytea NOT NULL, -- UTF-8 JSON
    created_at      bigint NOT NULL, -- Unix ms
    PRIMARY KEY (target_shard, target_run, source_run, source_sequence)
);

-- Lineage: the run that started this one, and the one at the top of the tree.
ALTER TABLE runs ADD COLUMN parent_run_id TEXT;
ALTER TABLE runs ADD COLUMN root_run_id TEXT;

CREATE INDEX runs_root ON runs (root_run_id) WHERE root_run_id IS NOT NULL;
