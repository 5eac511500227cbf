CREATE TABLE shards (
    shard      INTEGER PRIMARY KEY,
    owner      TEXT,
    address    TEXT,
    epoch      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE instances (owner TEXT PRIMARY KEY, address TEXT NOT NULL, expires_at BIGINT NOT NULL);
