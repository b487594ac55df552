-- A task that waits ends at once; one that is in somebody's hands is marked, and ends there.
-- MATERIALIZED: merged into the update it would have every task looked at.
WITH asked AS MATERIALIZED (
    SELECT
        loom_tasks.seq,
        max(
            one.value ->> 2,
            loom_tasks.created_at,
            coalesce(loom_tasks.started_at, loom_tasks.dispatched_at, 0)
        ) AS at
    FROM jsonb_each($17) AS one
    CROSS JOIN loom_tasks ON loom_tasks.id = one.value ->> 1
    WHERE loom_tasks.completed_at IS NULL
)
UPDATE loom_tasks SET
    status = iif(loom_tasks.due_at IS NULL, loom_tasks.status, 'cancelled'),
    cancel_at = coalesce(loom_tasks.cancel_at, asked.at),
    completed_at = iif(loom_tasks.due_at IS NULL, NULL, asked.at),
    due_at = NULL
FROM asked
WHERE loom_tasks.seq = asked.seq
RETURNING
