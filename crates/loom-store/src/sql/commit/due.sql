-- What is due of one worker type, the longest first. Both halves come out of their index in order,
-- and no more is read than is taken. A limit that is a bare argument would have the statement
-- prepared anew for each value: the plus sign is against that.
SELECT seq, due_at FROM loom_tasks
WHERE ?5 AND engine = ?1 AND pin IS NULL AND worker_type = ?3 AND due_at <= ?4
UNION ALL
SELECT seq, due_at FROM loom_tasks
WHERE pin = ?2 AND worker_type = ?3 AND due_at <= ?4
ORDER BY due_at, seq
LIMIT +?6;
