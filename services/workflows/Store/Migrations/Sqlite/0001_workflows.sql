-- Versions are immutable. The owner is a tenant, or '*' for seeded definitions.
CREATE TABLE workflow_versions (
    owner       TEXT    NOT NULL,
    workflow_id TEXT    NOT NULL,
    version     INTEGER NOT NULL, -- from 1 without gaps
    etag        TEXT    NOT NULL,
    document    BLOB    NOT NULL, -- UTF-8 JSON as it was stored
    created_at  INTEGER NOT NULL, -- Unix ms
    created_by  TEXT,
    PRIMARY KEY (owner, workflow_id, version)
) WITHOUT ROWID;

-- The current version of each workflow. What reads cost does not depend on how many versions there are.
CREATE TABLE workflow_heads (
    owner       TEXT    NOT NULL,
    workflow_id TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (owner, workflow_id)
) WITHOUT ROWID;

-- The same request stores one version, however often it arrives.
CREATE TABLE workflow_requests (
    owner       TEXT    NOT NULL,
    request_id  TEXT    NOT NULL,
    workflow_id TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    created     INTEGER NOT NULL, -- 1 = the first version of its workflow
    created_at  INTEGER NOT NULL, -- Unix ms
    PRIMARY KEY (owner, request_id)
) WITHOUT ROWID;

-- Old requests are forgotten in order of age.
CREATE INDEX workflow_requests_by_age ON workflow_requests (created_at);
