-- What agents remember beyond a run. Entries never change; they are removed when they are forgotten, expire or are crowded out.
CREATE TABLE memory_entries (
    tenant     TEXT    NOT NULL,
    test       INTEGER NOT NULL, -- runs of test keys have memories of their own
    memory_ref TEXT    NOT NULL,
    memory_id  TEXT    NOT NULL,
    run_id     TEXT    NOT NULL, -- who wrote it
    sequence   INTEGER NOT NULL, -- of the event that tells of it
    content    TEXT    NOT NULL,
    tags       TEXT    NOT NULL, -- JSON list of strings
    created_at INTEGER NOT NULL, -- Unix ms
    expires_at INTEGER,          -- Unix ms
    PRIMARY KEY (tenant, test, memory_ref, memory_id)
) WITHOUT ROWID;

CREATE INDEX memory_entries_newest ON memory_entries (tenant, test, memory_ref, created_at DESC, sequence DESC);
CREATE INDEX memory_entries_expired ON memory_entries (expires_at) WHERE expires_at IS NOT NULL;
