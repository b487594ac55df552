-- When the first task falls due that was not due yet. What was due and is left waits for room.
SELECT min(due_at) FROM (
    SELECT (
        SELECT min(due_at) FROM loom_tasks
        WHERE $11 AND engine = $7 AND pin IS NULL
            AND worker_type = lane.worker_type AND due_at > $8
    ) AS due_at
    FROM (
        SELECT CAST(substr($3, value ->> 0, value ->> 1) AS TEXT) AS worker_type
        FROM jsonb_each($9)
    ) AS lane
    UNION ALL
    SELECT (
        SELECT min(due_at) FROM loom_tasks
        WHERE pin = $12 AND worker_type = lane.worker_type AND due_at > $8
    )
    FROM (
        SELECT CAST(substr($3, value ->> 0, value ->> 1) AS TEXT) AS worker_type
        FROM jsonb_each($9)
    ) AS lane
);
