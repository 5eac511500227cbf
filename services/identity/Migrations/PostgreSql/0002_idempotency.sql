-- Outcomes of mutating calls by idempotency key. The key itself is not here: record_id is a digest of tenant, endpoint and key.
CREATE TABLE idempotency_records (
    record_id      bytea    NOT NULL PRIMARY KEY, -- SHA-256
    tenant         text     NOT NULL,
    request_digest bytea    NOT NULL, -- SHA-256
    execution      bytea    NOT NULL, -- 16 random bytes; stays when the record is taken over
    state          smallint NOT NULL, -- 0 = pending, 1 = final, 2 = to be executed again
    lease          bytea,             -- 16 random bytes while pending
    lease_until    bigint,            -- Unix ms
    status         integer,           -- the answer while final
    body           bytea,
    etag           text,
    created_at     bigint   NOT NULL  -- Unix ms
);

CREATE INDEX idempotency_records_by_age ON idempotency_records (created_at);
CREATE INDEX idempotency_records_by_tenant ON idempotency_records (tenant, created_at);
