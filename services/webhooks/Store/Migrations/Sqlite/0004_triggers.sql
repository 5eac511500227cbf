-- What starts runs because of events of other runs.
CREATE TABLE triggers (
    id         TEXT    NOT NULL PRIMARY KEY, -- in the order in which they are made
    tenant     TEXT    NOT NULL,
    is_test    INTEGER NOT NULL, -- 1 = of the test mode
    principal  TEXT    NOT NULL, -- who made it
    request_id TEXT   ,          -- the request that made it
    spec       BLOB    NOT NULL, -- UTF-8 JSON
    status     TEXT    NOT NULL, -- active, paused
    positions  TEXT    NOT NULL, -- JSON array: where the shards of the feed stood when it was made or resumed
    free_at    INTEGER NOT NULL, -- Unix ms at which its whole allowance is there again
    created_at INTEGER NOT NULL, -- Unix ms
    updated_at INTEGER NOT NULL  -- Unix ms
);

CREATE INDEX triggers_listed ON triggers (tenant, is_test, id);
CREATE UNIQUE INDEX triggers_by_request ON triggers (tenant, request_id) WHERE request_id IS NOT NULL;

-- One event for one trigger: the right and the duty to start one run.
CREATE TABLE firings (
    firing_id      TEXT    NOT NULL PRIMARY KEY, -- digest of trigger and event
    trigger_id     TEXT    NOT NULL,
    source_run_id  TEXT    NOT NULL,
    sequence       INTEGER NOT NULL,
    event_type     TEXT    NOT NULL,
    workflow_id    TEXT    NOT NULL, -- of the source
    document       BLOB   ,          -- the event; NULL = nobody needs it any more
    lineage        TEXT    NOT NULL, -- JSON array: the triggers that have led to the source
    status         INTEGER NOT NULL, -- 0 pending, 1 started, 2 failed, 3 skipped
    reason         TEXT   ,
    run_id         TEXT   ,
    attempts       INTEGER NOT NULL,
    due_at         INTEGER,          -- Unix ms; of a claimed one: when the claim ends; NULL = settled
    claim          TEXT   ,
    created_at     INTEGER NOT NULL, -- Unix ms
    settled_at     INTEGER           -- Unix ms
);

CREATE INDEX firings_due ON firings (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX firings_listed ON firings (trigger_id, created_at, firing_id);
CREATE INDEX firings_settled ON firings (settled_at) WHERE settled_at IS NOT NULL;
