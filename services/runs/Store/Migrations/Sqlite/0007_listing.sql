-- Runs are listed newest first, by workflow, by state and by tag. The state is that of the authoring plane.
ALTER TABLE runs ADD COLUMN state TEXT NOT NULL DEFAULT '';

UPDATE runs SET state = CASE status
    WHEN 'cancelled' THEN 'canceled'
    WHEN 'waiting-approval' THEN 'waiting'
    WHEN 'waiting-external' THEN 'waiting'
    WHEN 'waiting-input' THEN 'waiting'
    WHEN 'paused' THEN 'waiting'
    ELSE status END;

CREATE INDEX runs_listed ON runs (tenant, test, created_at, run_id) WHERE expired_at IS NULL;
CREATE INDEX runs_listed_workflow ON runs (tenant, test, workflow_id, created_at, run_id) WHERE expired_at IS NULL;
CREATE INDEX runs_listed_state ON runs (tenant, test, state, created_at, run_id) WHERE expired_at IS NULL;

CREATE TABLE run_tags (
    run_id     TEXT    NOT NULL,
    tag        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    test       INTEGER NOT NULL,
    created_at INTEGER NOT NULL, -- Unix ms, of the run
    PRIMARY KEY (run_id, tag)
) WITHOUT ROWID;

CREATE INDEX run_tags_listed ON run_tags (tenant, test, tag, created_at, run_id);
