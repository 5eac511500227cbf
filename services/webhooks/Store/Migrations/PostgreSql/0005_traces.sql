-- The trace that a delivery belongs to.
ALTER TABLE deliveries ADD COLUMN traceparent TEXT; -- W3C trace context; NULL = none
