-- When the first task of one worker type falls due that is not due yet.
SELECT min(due_at) FROM (
    SELECT (
        SELECT min(due_at) FROM loom_tasks
        WHERE ?5 AND engine = ?1 AND pin IS NULL AND worker_type = ?3 AND due_at > ?4
    ) AS due_at
    UNION ALL
    SELECT (
        SELECT min(due_at) FROM loom_tasks
        WHERE pin = ?2 AND worker_type = ?3 AND due_at > ?4
    )
);
