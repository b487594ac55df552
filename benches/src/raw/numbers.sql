-- What loom keeps count of as it commits.
INSERT OR REPLACE INTO loom_numbers (kind, of, status, value)
SELECT 'count', engine, status, count(*) FROM loom_tasks GROUP BY engine, status;
UPDATE loom_numbers SET value = (SELECT max(seq) FROM loom_tasks) WHERE kind = 'task';
