-- Outcomes of mutating calls by idempotency key. The key itself is not here: record_id is a digest of tenant, endpoint and key.
CREATE TABLE idempotency_records (
    record_id      BLOB    NOT NULL PRIMARY KEY, -- SHA-256
    tenant         TEXT    NOT NULL,
    request_digest BLOB    NOT NULL, -- SHA-256
    execution      BLOB    NOT NULL, -- 16 random bytes; stays when the record is taken over
    state          INTEGER NOT NULL, -- 0 = pending, 1 = final, 2 = to be executed again
    lease          BLOB,             -- 16 random bytes while pending
    lease_until    INTEGER,          -- Unix ms
    status         INTEGER,          -- the answer while final
    body           BLOB,
    etag           TEXT,
    created_at     INTEGER NOT NULL  -- Unix ms
) WITHOUT ROWID;

CREATE INDEX idempotency_records_by_age ON idempotency_records (created_at);
CREATE INDEX idempotency_records_by_tenant ON idempotency_records (tenant, created_at);
