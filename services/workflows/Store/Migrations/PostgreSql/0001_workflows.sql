-- Versions are immutable. The owner is a tenant, or '*' for seeded definitions. Ids are ordered by their bytes, as in SQLite.
CREATE TABLE workflow_versions (
    owner       TEXT    COLLATE "C" NOT NULL,
    workflow_id TEXT    COLLATE "C" NOT NULL,
    version     BIGINT  NOT NULL, -- from 1 without gaps
    etag        TEXT    NOT NULL,
    document    BYTEA   NOT NULL, -- UTF-8 JSON as it was stored
    created_at  BIGINT  NOT NULL, -- Unix ms
    created_by  TEXT,
    PRIMARY KEY (owner, workflow_id, version)
);

-- The current version of each workflow. What reads cost does not depend on how many versions there are.
CREATE TABLE workflow_heads (
    owner       TEXT    COLLATE "C" NOT NULL,
    workflow_id TEXT    COLLATE "C" NOT NULL,
    version     BIGINT  NOT NULL,
    PRIMARY KEY (owner, workflow_id)
);

-- The same request stores one version, however often it arrives.
CREATE TABLE workflow_requests (
    owner       TEXT    COLLATE "C" NOT NULL,
    request_id  TEXT    COLLATE "C" NOT NULL,
    workflow_id TEXT    COLLATE "C" NOT NULL,
    version     BIGINT  NOT NULL,
    created     BIGINT  NOT NULL, -- 1 = the first version of its workflow
    created_at  BIGINT  NOT NULL, -- Unix ms
    PRIMARY KEY (owner, request_id)
);

-- Old requests are forgotten in order of age.
CREATE INDEX workflow_requests_by_age ON workflow_requests (created_at);
