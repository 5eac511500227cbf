CREATE TABLE shards (
    shard      INTEGER PRIMARY KEY,
    owner      TEXT,
    address    TEXT,
    epoch      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);

CREATE TABLE instances (owner TEXT PRIMARY KEY, address TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
