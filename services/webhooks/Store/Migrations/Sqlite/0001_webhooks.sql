-- Who wants to hear of what.
CREATE TABLE subscriptions (
    webhook_id           TEXT    NOT NULL PRIMARY KEY,
    tenant               TEXT    NOT NULL,
    test                 INTEGER NOT NULL, -- 1 = of the test mode
    request_id           TEXT,             -- the request that made it
    url                  TEXT    NOT NULL,
    events               TEXT    NOT NULL, -- JSON array
    tags                 TEXT    NOT NULL, -- JSON array; empty = all runs
    secret               BLOB    NOT NULL, -- sealed
    fingerprint          TEXT    NOT NULL,
    previous_secret      BLOB,             -- sealed
    previous_until       INTEGER NOT NULL, -- Unix ms; 0 = none
    positions            TEXT    NOT NULL, -- JSON array: where the shards of the feed stood when it was made
    status               TEXT    NOT NULL, -- active, paused, failed
    blocked_until        INTEGER NOT NULL, -- Unix ms until which the circuit lets nothing out; 0 = closed
    consecutive_failures INTEGER NOT NULL,
    opened_at            INTEGER NOT NULL, -- Unix ms; 0 = closed
    failures             TEXT    NOT NULL, -- JSON array of Unix ms
    created_at           INTEGER NOT NULL  -- Unix ms
);

CREATE INDEX subscriptions_tenant ON subscriptions (tenant, test, webhook_id);
CREATE UNIQUE INDEX subscriptions_request ON subscriptions (tenant, request_id) WHERE request_id IS NOT NULL;

-- Grows with every change of a subscription, so that workers notice.
CREATE TABLE revisions (
    id    INTEGER NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
);
INSERT INTO revisions (id, value) VALUES (1, 1);

-- How far the feed of runs has been read; moved in the transaction that writes the deliveries.
CREATE TABLE cursors (
    shard    INTEGER NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL
);

-- One event for one subscription.
CREATE TABLE deliveries (
    delivery_id TEXT    NOT NULL PRIMARY KEY,
    webhook_id  TEXT    NOT NULL,
    run_id      TEXT    NOT NULL,
    sequence    INTEGER NOT NULL,
    event_type  TEXT    NOT NULL,
    body        BLOB    NOT NULL, -- as it is sent
    status      TEXT    NOT NULL, -- pending, delivered, dead
    attempts    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL, -- Unix ms
    settled_at  INTEGER           -- Unix ms
);

CREATE INDEX deliveries_pending ON deliveries (webhook_id, run_id, sequence) WHERE status = 'pending';
CREATE INDEX deliveries_listed ON deliveries (webhook_id, created_at, delivery_id);
CREATE INDEX deliveries_settled ON deliveries (status, settled_at) WHERE settled_at IS NOT NULL;

-- The deliveries of one run to one subscription go out one after the other: whoever claims the lane sends them.
CREATE TABLE lanes (
    webhook_id TEXT    NOT NULL,
    run_id     TEXT    NOT NULL,
    due_at     INTEGER NOT NULL, -- Unix ms; of a claimed lane: when the claim ends
    pending    INTEGER NOT NULL, -- deliveries that wait
    claim      TEXT,
    PRIMARY KEY (webhook_id, run_id)
);

CREATE INDEX lanes_due ON lanes (webhook_id, due_at);

CREATE TABLE attempts (
    delivery_id TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    started_at  INTEGER NOT NULL, -- Unix ms
    duration_ms INTEGER NOT NULL,
    status_code INTEGER NOT NULL, -- 0 = no answer
    error       TEXT    NOT NULL, -- empty = delivered
    PRIMARY KEY (delivery_id, number)
);

-- Who follows which shard of the feed.
CREATE TABLE shards (
    shard      INTEGER NOT NULL PRIMARY KEY,
    owner      TEXT,
    address    TEXT,
    epoch      BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL -- Unix ms
);

CREATE TABLE instances (
    owner      TEXT   NOT NULL PRIMARY KEY,
    address    TEXT   NOT NULL,
    expires_at BIGINT NOT NULL -- Unix ms
);
