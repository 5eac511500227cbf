-- Ownership: one row per shard. Every append checks its epoch in the same transaction.
CREATE TABLE shards (
    shard      INTEGER NOT NULL PRIMARY KEY,
    owner      TEXT,
    address    TEXT,
    epoch      BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL -- Unix ms
);

-- Living instances of the service, for the fair share.
CREATE TABLE instances (
    owner      TEXT   NOT NULL PRIMARY KEY,
    address    TEXT   NOT NULL,
    expires_at BIGINT NOT NULL -- Unix ms
);

-- One row per run: what must be found without folding its log.
CREATE TABLE runs (
    run_id        TEXT    NOT NULL PRIMARY KEY,
    shard         INTEGER NOT NULL,
    tenant        TEXT    NOT NULL,
    test          INTEGER NOT NULL, -- 1 = made with a test key
    workflow_id   TEXT    NOT NULL,
    scope_id      TEXT,
    status        TEXT    NOT NULL,
    last_sequence INTEGER NOT NULL,
    active        INTEGER NOT NULL, -- 1 = attempts are in flight: the owner holds the run in memory
    wake_at       INTEGER,          -- Unix ms of the next thing that is due
    created_at    INTEGER NOT NULL, -- Unix ms
    updated_at    INTEGER NOT NULL  -- Unix ms
) WITHOUT ROWID;

CREATE INDEX runs_active ON runs (shard) WHERE active = 1;
CREATE INDEX runs_wake_at ON runs (shard, wake_at) WHERE wake_at IS NOT NULL;

-- The log. Append only.
CREATE TABLE run_events (
    run_id   TEXT    NOT NULL,
    sequence INTEGER NOT NULL, -- from 0 without gaps
    shard    INTEGER NOT NULL,
    position INTEGER NOT NULL, -- from 1 without gaps in the shard, for consumers that follow everything
    type     TEXT    NOT NULL,
    document BLOB    NOT NULL, -- UTF-8 JSON as it is sent
    facts    BLOB,             -- UTF-8 JSON that never leaves the engine
    PRIMARY KEY (run_id, sequence)
) WITHOUT ROWID;

CREATE UNIQUE INDEX run_events_position ON run_events (shard, position);

-- The fold of a log up to a sequence, stored when a run starts to wait and when it ends.
CREATE TABLE run_states (
    run_id   TEXT    NOT NULL PRIMARY KEY,
    sequence INTEGER NOT NULL,
    state    BLOB    NOT NULL
) WITHOUT ROWID;

-- The same request makes one run, however often it arrives.
CREATE TABLE run_requests (
    tenant     TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    run_id     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, request_id)
) WITHOUT ROWID;

CREATE INDEX run_requests_age ON run_requests (created_at);

-- Live claims of X-Dedup: enforce.
CREATE TABLE run_scopes (
    tenant   TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    run_id   TEXT NOT NULL,
    PRIMARY KEY (tenant, scope_id)
) WITHOUT ROWID;

-- Secrets that sign interrupt tokens: the newest signs, all of them verify.
CREATE TABLE interrupt_keys (
    kid        TEXT    NOT NULL PRIMARY KEY,
    secret     BLOB    NOT NULL,
    created_at BIGINT  NOT NULL -- Unix ms
);
