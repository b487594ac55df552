-- Keeps the attempts that are to be repeated, before their tasks are changed. A task whose end has
-- been asked for ends instead, and tells of its last attempt itself.
INSERT INTO loom_attempts (
    task, number, started_at, ended_at, status, reason, failure, error, output
)
SELECT
    seq, attempt, coalesce(started_at, at), at, 'retrying',
    asked ->> 4,
    asked ->> 5,
    CAST(substr($3, asked ->> 6, asked ->> 7) AS TEXT),
    coalesce(CAST(substr($3, asked ->> 8, asked ->> 9) AS TEXT), '')
FROM (
    SELECT
        loom_tasks.seq,
        loom_tasks.attempt,
        loom_tasks.started_at,
        max(
            repeated.value ->> 3,
            loom_tasks.created_at,
            coalesce(loom_tasks.started_at, loom_tasks.dispatched_at, 0)
        ) AS at,
        repeated.value AS asked
    FROM jsonb_each($16) AS repeated
    CROSS JOIN loom_tasks ON loom_tasks.id = repeated.value ->> 0
    WHERE loom_tasks.epoch = repeated.value ->> 1
        AND instr(repeated.value ->> 2, ' ' || loom_tasks.status || ' ')
        AND loom_tasks.cancel_at IS NULL
);
