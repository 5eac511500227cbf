-- Times are Unix milliseconds.
CREATE TABLE tenants (
    tenant     TEXT   PRIMARY KEY,
    created_at INTEGER NOT NULL
);

CREATE TABLE api_keys (
    key_id       TEXT    PRIMARY KEY,
    key_hash     BLOB   NOT NULL UNIQUE, -- SHA-256 of the key; the key itself is stored nowhere
    tenant       TEXT    NOT NULL REFERENCES tenants (tenant),
    name         TEXT    NOT NULL,
    principal    TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,        -- ordered, separated by spaces
    is_test      INTEGER NOT NULL,
    source       TEXT    NOT NULL,        -- bootstrap, file or api
    created_at   INTEGER  NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,                  -- in the future while a rotated key still works
    replaced_by  TEXT,                    -- key_id of the key that a rotation made
    last_used_at INTEGER
);

CREATE INDEX api_keys_by_tenant ON api_keys (tenant, is_test, key_id);

CREATE TABLE signing_keys (
    kid         TEXT   PRIMARY KEY,
    public_key  TEXT   NOT NULL,          -- JSON Web Key
    private_key BLOB  NOT NULL,          -- PKCS #8, encrypted with a key derived from the service secret
    created_at  INTEGER NOT NULL
);
