-- What followers of everything want to know about a run.
ALTER TABLE runs ADD COLUMN tags TEXT;         -- JSON array; NULL = none
ALTER TABLE runs ADD COLUMN own_from bigint;   -- first sequence that is no history of the run that was forked; NULL = all are its own
