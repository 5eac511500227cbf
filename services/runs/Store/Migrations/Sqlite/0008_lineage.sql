-- Which triggers have led to a run, for those that start runs because of its events.
ALTER TABLE runs ADD COLUMN lineage TEXT; -- JSON array, oldest first; NULL = none
