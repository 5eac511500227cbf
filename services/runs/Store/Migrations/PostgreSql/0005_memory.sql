-- What agents remember beyond a run. Entries never change; they are removed when they are forgotten, expire or are crowded out.
CREATE TABLE memory_entries (
    tenant     text   NOT NULL,
    test       bigint NOT NULL, -- runs of test keys have memories of their own
    memory_ref text   NOT NULL,
    memory_id  text   NOT NULL,
    run_id     text   NOT NULL, -- who wrote it
    sequence   bigint NOT NULL, -- of the event that tells of it
    content    text   NOT NULL,
    tags       text   NOT NULL, -- JSON list of strings
    created_at bigint NOT NULL, -- Unix ms
    expires_at bigint,          -- Unix ms
    PRIMARY KEY (tenant, test, memory_ref, memory_id)
);

CREATE INDEX memory_entries_newest ON memory_entries (tenant, test, memory_ref, created_at DESC, sequence DESC);
CREATE INDEX memory_entries_expired ON memory_entries (expires_at) WHERE expires_at IS NOT NULL;
