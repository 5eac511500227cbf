-- URLs at which other systems start runs.
CREATE TABLE inbound_webhooks (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- in the order in which they are made
    tenant          TEXT COLLATE "C" NOT NULL,
    is_test         BIGINT NOT NULL, -- 1 = of the test mode
    path            TEXT COLLATE "C" NOT NULL,
    token           TEXT COLLATE "C" NOT NULL, -- what of the URL cannot be guessed
    principal       TEXT COLLATE "C" NOT NULL, -- who made it
    spec            BYTEA NOT NULL, -- UTF-8 JSON, without the secret
    secret          BYTEA NOT NULL, -- sealed
    previous_secret BYTEA,          -- sealed
    previous_until  BIGINT NOT NULL, -- Unix ms
    created_at      BIGINT NOT NULL  -- Unix ms
);

CREATE UNIQUE INDEX inbound_webhooks_by_path ON inbound_webhooks (tenant, is_test, path);
CREATE UNIQUE INDEX inbound_webhooks_by_token ON inbound_webhooks (token);
CREATE INDEX inbound_webhooks_listed ON inbound_webhooks (tenant, is_test, id);

-- Deliveries that have made a run. Whatever comes again gets the same one.
CREATE TABLE inbound_deliveries (
    webhook_id   TEXT COLLATE "C" NOT NULL,
    delivery_key TEXT COLLATE "C" NOT NULL, -- digest of the sender's id
    run_id       TEXT COLLATE "C" NOT NULL,
    received_at  BIGINT NOT NULL, -- Unix ms
    PRIMARY KEY (webhook_id, delivery_key)
);

CREATE INDEX inbound_deliveries_by_age ON inbound_deliveries (received_at);
