-- Tasks of another system, as they were there. One that is here already is passed over before it
-- is given a number: an import that is repeated must not use up the small ones.
INSERT INTO loom_tasks (
    id, status, attempt, retries, due_at, created_at, dispatched_at, completed_at,
    failure, progress_lines, progress_at,
    engine, project, worker_type, progress_line, error, request, metadata, prompt, result
)
SELECT
    task.value ->> 0,
    task.value ->> 1,
    task.value ->> 2,
    task.value ->> 3,
    task.value ->> 4,
    task.value ->> 5,
    task.value ->> 6,
    task.value ->> 7,
    task.value ->> 8,
    task.value ->> 9,
    task.value ->> 10,
    CAST(substr($1, task.value ->> 11, task.value ->> 12) AS TEXT),
    CAST(substr($1, task.value ->> 13, task.value ->> 14) AS TEXT),
    CAST(substr($1, task.value ->> 15, task.value ->> 16) AS TEXT),
    CAST(substr($1, task.value ->> 17, task.value ->> 18) AS TEXT),
    CAST(substr($1, task.value ->> 19, task.value ->> 20) AS TEXT),
    CAST(substr($1, task.value ->> 21, task.value ->> 22) AS TEXT),
    CAST(substr($1, task.value ->> 23, task.value ->> 24) AS TEXT),
    CAST(substr($1, task.value ->> 25, task.value ->> 26) AS TEXT),
    CAST(substr($1, task.value ->> 27, task.value ->> 28) AS TEXT)
FROM jsonb_each($2) AS task
WHERE NOT EXISTS (SELECT 1 FROM loom_tasks WHERE loom_tasks.id = task.value ->> 0)
ON CONFLICT (id) DO NOTHING
RETURNING seq, id;
