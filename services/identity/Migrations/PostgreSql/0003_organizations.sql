-- A tenant is an organization. Times are Unix milliseconds.
ALTER TABLE tenants ADD COLUMN name TEXT NOT NULL DEFAULT ''; -- empty = never named
ALTER TABLE tenants ADD COLUMN audit_sequence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN audit_hash BYTEA;              -- SHA-256 of the last audit entry

CREATE TABLE members (
    member_id  TEXT    PRIMARY KEY,
    tenant     TEXT    NOT NULL REFERENCES tenants (tenant),
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    is_test    BOOLEAN NOT NULL,
    created_at BIGINT  NOT NULL,
    removed_at BIGINT
);

CREATE INDEX members_by_tenant ON members (tenant, is_test, member_id);

ALTER TABLE api_keys ADD COLUMN member_id TEXT REFERENCES members (member_id); -- null = belongs to the organization
CREATE INDEX api_keys_by_member ON api_keys (member_id);

CREATE TABLE invitations (
    invitation_id TEXT    PRIMARY KEY,
    token_hash    BYTEA   NOT NULL UNIQUE, -- SHA-256 of the token
    tenant        TEXT    NOT NULL REFERENCES tenants (tenant),
    role          TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    is_test       BOOLEAN NOT NULL,
    created_at    BIGINT  NOT NULL,
    expires_at    BIGINT  NOT NULL,
    accepted_at   BIGINT,
    withdrawn_at  BIGINT
);

CREATE INDEX invitations_by_tenant ON invitations (tenant, is_test, invitation_id);

-- Bootstrap tokens that have been used.
CREATE TABLE spent_tokens (
    token_hash BYTEA  PRIMARY KEY,
    spent_at   BIGINT NOT NULL
);

CREATE TABLE sessions (
    session_hash BYTEA  PRIMARY KEY, -- SHA-256 of what the cookie holds
    key_id       TEXT   NOT NULL REFERENCES api_keys (key_id),
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);

CREATE INDEX sessions_by_key ON sessions (key_id);

CREATE TABLE audit_entries (
    tenant   TEXT   NOT NULL REFERENCES tenants (tenant),
    sequence BIGINT NOT NULL, -- from 1 without gaps
    entry    BYTEA  NOT NULL, -- canonical JSON that holds the hash of the entry before
    PRIMARY KEY (tenant, sequence)
);
