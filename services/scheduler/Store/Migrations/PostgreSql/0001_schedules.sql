-- What starts runs by the clock. The spec is the caller's JSON; columns are what is looked for or changes by firing.
CREATE TABLE schedules (
    uid           TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- never used twice, unlike the id
    tenant        TEXT COLLATE "C" NOT NULL,
    is_test       BIGINT NOT NULL,
    id            TEXT COLLATE "C" NOT NULL,
    part          BIGINT NOT NULL, -- which scheduler looks after it
    principal     TEXT,
    spec          BYTEA   NOT NULL, -- UTF-8 JSON
    revision      BIGINT NOT NULL, -- grows with every change
    settled_until BIGINT NOT NULL, -- Unix ms; every slot up to here is decided on
    next_fire_at  BIGINT, -- Unix ms; null = nothing fires by itself
    delay         BIGINT NOT NULL, -- ms
    driven        BIGINT NOT NULL, -- 1 = only ticks move its clock
    last_slot     BIGINT,
    last_fired_at BIGINT,
    last_run_id   TEXT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);

CREATE UNIQUE INDEX schedules_by_id ON schedules (tenant, is_test, id);
CREATE INDEX schedules_by_time ON schedules (part, next_fire_at) WHERE next_fire_at IS NOT NULL;

-- Claimed slots: a row is the right and the duty to make one run.
CREATE TABLE fires (
    uid             TEXT COLLATE "C" NOT NULL,
    slot            BIGINT NOT NULL, -- Unix ms
    tenant          TEXT COLLATE "C" NOT NULL,
    is_test         BIGINT NOT NULL,
    schedule_id     TEXT COLLATE "C" NOT NULL,
    part            BIGINT NOT NULL,
    status          BIGINT NOT NULL, -- 0 pending, 1 starting, 2 fired, 3 failed, 4 skipped
    run_id          TEXT,
    error           TEXT,
    attempts        BIGINT NOT NULL,
    next_attempt_at BIGINT, -- Unix ms; null = settled
    claimed_at      BIGINT NOT NULL,
    settled_at      BIGINT,
    reported        BIGINT NOT NULL,
    PRIMARY KEY (uid, slot)
);

CREATE INDEX fires_to_make ON fires (part, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX fires_by_slot ON fires (tenant, is_test, slot);
CREATE INDEX fires_by_age ON fires (claimed_at);

CREATE TABLE shards (
    shard      INTEGER PRIMARY KEY,
    owner      TEXT,
    address    TEXT,
    epoch      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE instances (
    owner      TEXT    PRIMARY KEY,
    address    TEXT    NOT NULL,
    expires_at BIGINT NOT NULL
);
