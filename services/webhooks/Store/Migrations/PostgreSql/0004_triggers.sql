-- What starts runs because of events of other runs.
CREATE TABLE triggers (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- in the order in which they are made
    tenant     TEXT COLLATE "C" NOT NULL,
    is_test    BIGINT NOT NULL, -- 1 = of the test mode
    principal  TEXT COLLATE "C" NOT NULL, -- who made it
    request_id TEXT COLLATE "C",          -- the request that made it
    spec       BYTEA   NOT NULL, -- UTF-8 JSON
    status     TEXT COLLATE "C" NOT NULL, -- active, paused
    positions  TEXT COLLATE "C" NOT NULL, -- JSON array: where the shards of the feed stood when it was made or resumed
    free_at    BIGINT NOT NULL, -- Unix ms at which its whole allowance is there again
    created_at BIGINT NOT NULL, -- Unix ms
    updated_at BIGINT NOT NULL  -- Unix ms
);

CREATE INDEX triggers_listed ON triggers (tenant, is_test, id);
CREATE UNIQUE INDEX triggers_by_request ON triggers (tenant, request_id) WHERE request_id IS NOT NULL;

-- One event for one trigger: the right and the duty to start one run.
CREATE TABLE firings (
    firing_id      TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- digest of trigger and event
    trigger_id     TEXT COLLATE "C" NOT NULL,
    source_run_id  TEXT COLLATE "C" NOT NULL,
    sequence       BIGINT NOT NULL,
    event_type     TEXT COLLATE "C" NOT NULL,
    workflow_id    TEXT COLLATE "C" NOT NULL, -- of the source
    document       BYTEA  ,          -- the event; NULL = nobody needs it any more
    lineage        TEXT COLLATE "C" NOT NULL, -- JSON array: the triggers that have led to the source
    status         BIGINT NOT NULL, -- 0 pending, 1 started, 2 failed, 3 skipped
    reason         TEXT COLLATE "C",
    run_id         TEXT COLLATE "C",
    attempts       BIGINT NOT NULL,
    due_at         BIGINT,          -- Unix ms; of a claimed one: when the claim ends; NULL = settled
    claim          TEXT COLLATE "C",
    created_at     BIGINT NOT NULL, -- Unix ms
    settled_at     BIGINT           -- Unix ms
);

CREATE INDEX firings_due ON firings (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX firings_listed ON firings (trigger_id, created_at, firing_id);
CREATE INDEX firings_settled ON firings (settled_at) WHERE settled_at IS NOT NULL;
