-- What lists show without reading documents; and heads that are deleted keep counting their versions.
ALTER TABLE workflow_heads ADD COLUMN name TEXT;
ALTER TABLE workflow_heads ADD COLUMN deleted_at INTEGER; -- Unix ms
