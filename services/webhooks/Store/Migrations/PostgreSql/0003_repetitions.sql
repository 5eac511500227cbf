-- Answers that show a secret are kept nowhere: the call that comes again is recognized here.
ALTER TABLE inbound_webhooks ADD COLUMN request_id TEXT COLLATE "C";      -- the request that made it
ALTER TABLE inbound_webhooks ADD COLUMN rotation_id TEXT COLLATE "C";     -- the last request that gave it a new secret
ALTER TABLE subscriptions ADD COLUMN rotation_id TEXT COLLATE "C";

CREATE UNIQUE INDEX inbound_webhooks_by_request ON inbound_webhooks (tenant, request_id) WHERE request_id IS NOT NULL;

-- What was accepted is listed, newest first.
CREATE INDEX inbound_deliveries_listed ON inbound_deliveries (webhook_id, received_at, delivery_key);
