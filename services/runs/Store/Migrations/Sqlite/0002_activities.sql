-- Outside effects of nodes: claimed before they happen, settled before anybody sees what came of them.
CREATE TABLE activities (
    identity   TEXT    NOT NULL PRIMARY KEY,
    run_id     TEXT    NOT NULL,
    node_id    TEXT    NOT NULL,
    epoch      INTEGER NOT NULL, -- of the shard's owner that claimed it last
    claims     INTEGER NOT NULL, -- how often the effect was begun
    result     BLOB,             -- UTF-8 JSON; NULL = claimed
    created_at INTEGER NOT NULL, -- Unix ms
    settled_at INTEGER           -- Unix ms
);

CREATE INDEX activities_run ON activities (run_id);
CREATE INDEX activities_age ON activities (created_at);
