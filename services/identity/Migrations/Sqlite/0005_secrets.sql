-- Secrets of organizations, encrypted. Times are Unix milliseconds.
CREATE TABLE secrets (
    tenant      TEXT    NOT NULL REFERENCES tenants (tenant),
    is_test     INTEGER NOT NULL,
    secret_id   TEXT    NOT NULL,
    sealed      BLOB NOT NULL, -- the value under a key of its own, and that key under one that is not in the database
    description TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, is_test, secret_id)
);
