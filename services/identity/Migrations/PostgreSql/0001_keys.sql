-- Times are Unix milliseconds.
CREATE TABLE tenants (
    tenant     TEXT   PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    key_id       TEXT    PRIMARY KEY,
    key_hash     BYTEA   NOT NULL UNIQUE, -- SHA-256 of the key; the key itself is stored nowhere
    tenant       TEXT    NOT NULL REFERENCES tenants (tenant),
    name         TEXT    NOT NULL,
    principal    TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,        -- ordered, separated by spaces
    is_test      BOOLEAN NOT NULL,
    source       TEXT    NOT NULL,        -- bootstrap, file or api
    created_at   BIGINT  NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,                  -- in the future while a rotated key still works
    replaced_by  TEXT,                    -- key_id of the key that a rotation made
    last_used_at BIGINT
);

CREATE INDEX api_keys_by_tenant ON api_keys (tenant, is_test, key_id);

CREATE TABLE signing_keys (
    kid         TEXT   PRIMARY KEY,
    public_key  TEXT   NOT NULL,          -- JSON Web Key
    private_key BYTEA  NOT NULL,          -- PKCS #8, encrypted with a key derived from the service secret
    created_at  BIGINT NOT NULL
);
