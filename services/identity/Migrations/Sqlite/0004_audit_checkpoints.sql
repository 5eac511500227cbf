-- Signed checkpoints of audit logs. Times are Unix milliseconds.
ALTER TABLE tenants ADD COLUMN audit_frontier BLOB;                         -- roots of the complete subtrees of the Merkle tree
ALTER TABLE tenants ADD COLUMN audit_checkpoint INTEGER NOT NULL DEFAULT 0; -- sequence of the last checkpoint

CREATE INDEX tenants_unsealed ON tenants (tenant) WHERE audit_sequence > audit_checkpoint;

CREATE TABLE audit_checkpoints (
    tenant      TEXT    NOT NULL REFERENCES tenants (tenant),
    sequence    INTEGER NOT NULL, -- the last entry that it covers
    merkle_root BLOB    NOT NULL,
    frontier    BLOB    NOT NULL,
    signature   BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, sequence)
);

-- Batches of calls that were added: a repeated one adds nothing.
CREATE TABLE audit_batches (
    batch_id   TEXT    PRIMARY KEY,
    created_at INTEGER NOT NULL
);

CREATE INDEX audit_batches_by_age ON audit_batches (created_at);
