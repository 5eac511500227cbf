-- What starts runs by the clock. The spec is the caller's JSON; columns are what is looked for or changes by firing.
CREATE TABLE schedules (
    uid           TEXT    NOT NULL PRIMARY KEY, -- never used twice, unlike the id
    tenant        TEXT    NOT NULL,
    is_test       INTEGER NOT NULL,
    id            TEXT    NOT NULL,
    part          INTEGER NOT NULL, -- which scheduler looks after it
    principal     TEXT,
    spec          BLOB    NOT NULL, -- UTF-8 JSON
    revision      INTEGER NOT NULL, -- grows with every change
    settled_until INTEGER NOT NULL, -- Unix ms; every slot up to here is decided on
    next_fire_at  INTEGER, -- Unix ms; null = nothing fires by itself
    delay         INTEGER NOT NULL, -- ms
    driven        INTEGER NOT NULL, -- 1 = only ticks move its clock
    last_slot     INTEGER,
    last_fired_at INTEGER,
    last_run_id   TEXT,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE UNIQUE INDEX schedules_by_id ON schedules (tenant, is_test, id);
CREATE INDEX schedules_by_time ON schedules (part, next_fire_at) WHERE next_fire_at IS NOT NULL;

-- Claimed slots: a row is the right and the duty to make one run.
CREATE TABLE fires (
    uid             TEXT    NOT NULL,
    slot            INTEGER NOT NULL, -- Unix ms
    tenant          TEXT    NOT NULL,
    is_test         INTEGER NOT NULL,
    schedule_id     TEXT    NOT NULL,
    part            INTEGER NOT NULL,
    status          INTEGER NOT NULL, -- 0 pending, 1 starting, 2 fired, 3 failed, 4 skipped
    run_id          TEXT,
    error           TEXT,
    attempts        INTEGER NOT NULL,
    next_attempt_at INTEGER, -- Unix ms; null = settled
    claimed_at      INTEGER NOT NULL,
    settled_at      INTEGER,
    reported        INTEGER NOT NULL,
    PRIMARY KEY (uid, slot)
) WITHOUT ROWID;

CREATE INDEX fires_to_make ON fires (part, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX fires_by_slot ON fires (tenant, is_test, slot);
CREATE INDEX fires_by_age ON fires (claimed_at);

CREATE TABLE shards (
    shard      INTEGER PRIMARY KEY,
    owner      TEXT,
    address    TEXT,
    epoch      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);

CREATE TABLE instances (
    owner      TEXT    PRIMARY KEY,
    address    TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
);
