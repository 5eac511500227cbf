-- Where others who tell of a run belong in its trace.
ALTER TABLE runs ADD COLUMN traceparent TEXT; -- W3C trace context of the run's span; NULL = none is kept
