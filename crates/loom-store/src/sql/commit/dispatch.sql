UPDATE loom_tasks SET
    status = 'dispatched',
    epoch = epoch + 1,
    owner = ?3,
    due_at = NULL,
    dispatched_at = coalesce(dispatched_at, max(?2, created_at, coalesce(started_at, 0)))
WHERE seq = ?1;
