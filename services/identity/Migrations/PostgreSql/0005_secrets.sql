-- Secrets of organizations, encrypted. Times are Unix milliseconds.
CREATE TABLE secrets (
    tenant      TEXT    NOT NULL REFERENCES tenants (tenant),
    is_test     BOOLEAN NOT NULL,
    secret_id   TEXT    COLLATE "C" NOT NULL,
    sealed      BYTEA NOT NULL, -- the value under a key of its own, and that key under one that is not in the database
    description TEXT    NOT NULL,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, is_test, secret_id)
);
