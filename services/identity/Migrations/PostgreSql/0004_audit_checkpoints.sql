-- Signed checkpoints of audit logs. Times are Unix milliseconds.
ALTER TABLE tenants ADD COLUMN audit_frontier BYTEA;                         -- roots of the complete subtrees of the Merkle tree
ALTER TABLE tenants ADD COLUMN audit_checkpoint BIGINT NOT NULL DEFAULT 0; -- sequence of the last checkpoint

CREATE INDEX tenants_unsealed ON tenants (tenant) WHERE audit_sequence > audit_checkpoint;

CREATE TABLE audit_checkpoints (
    tenant      TEXT    NOT NULL REFERENCES tenants (tenant),
    sequence    BIGINT NOT NULL, -- the last entry that it covers
    merkle_root BYTEA    NOT NULL,
    frontier    BYTEA    NOT NULL,
    signature   BYTEA    NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, sequence)
);

-- Batches of calls that were added: a repeated one adds nothing.
CREATE TABLE audit_batches (
    batch_id   TEXT    PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE INDEX audit_batches_by_age ON audit_batches (created_at);
