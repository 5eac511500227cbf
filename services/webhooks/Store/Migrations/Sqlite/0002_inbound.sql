-- URLs at which other systems start runs.
CREATE TABLE inbound_webhooks (
    id              TEXT    NOT NULL PRIMARY KEY, -- in the order in which they are made
    tenant          TEXT    NOT NULL,
    is_test         INTEGER NOT NULL, -- 1 = of the test mode
    path            TEXT    NOT NULL,
    token           TEXT    NOT NULL, -- what of the URL cannot be guessed
    principal       TEXT    NOT NULL, -- who made it
    spec            BLOB NOT NULL, -- UTF-8 JSON, without the secret
    secret          BLOB NOT NULL, -- sealed
    previous_secret BLOB,          -- sealed
    previous_until  INTEGER NOT NULL, -- Unix ms
    created_at      INTEGER NOT NULL  -- Unix ms
);

CREATE UNIQUE INDEX inbound_webhooks_by_path ON inbound_webhooks (tenant, is_test, path);
CREATE UNIQUE INDEX inbound_webhooks_by_token ON inbound_webhooks (token);
CREATE INDEX inbound_webhooks_listed ON inbound_webhooks (tenant, is_test, id);

-- Deliveries that have made a run. Whatever comes again gets the same one.
CREATE TABLE inbound_deliveries (
    webhook_id   TEXT    NOT NULL,
    delivery_key TEXT    NOT NULL, -- digest of the sender's id
    run_id       TEXT    NOT NULL,
    received_at  INTEGER NOT NULL, -- Unix ms
    PRIMARY KEY (webhook_id, delivery_key)
);

CREATE INDEX inbound_deliveries_by_age ON inbound_deliveries (received_at);
