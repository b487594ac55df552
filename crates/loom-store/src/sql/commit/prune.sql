-- The plus sign keeps SQLite from preparing the statement anew for each limit.
-- Looks at every task: ends are not indexed, for all tasks would pay for what is rarely asked.
DELETE FROM loom_tasks WHERE seq IN (
    SELECT seq FROM loom_tasks
    WHERE completed_at < ?2 AND (?1 IS NULL OR engine = ?1)
    ORDER BY completed_at, seq
    LIMIT +?3
)
RETURNING engine, status, id;
