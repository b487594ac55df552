-- A task that waits ends at once; one that is in somebody's hands is marked, and ends there.
UPDATE loom_tasks SET
    status = iif(due_at IS NULL, status, 'cancelled'),
    cancel_at = coalesce(
        cancel_at,
        max(?2, created_at, coalesce(started_at, dispatched_at, 0))
    ),
    completed_at = iif(
        due_at IS NULL,
        NULL,
        max(?2, created_at, coalesce(started_at, dispatched_at, 0))
    ),
    due_at = NULL
WHERE seq = ?1;
