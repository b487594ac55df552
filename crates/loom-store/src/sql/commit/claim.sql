UPDATE loom_tasks SET
    status = 'running',
    epoch = epoch + 1,
    attempt = attempt + 1,
    owner = ?2,
    due_at = NULL,
    dispatched_at = coalesce(dispatched_at, max(?3, created_at, coalesce(started_at, 0))),
    started_at = max(?3, created_at, coalesce(started_at, dispatched_at, 0))
WHERE seq = ?1;
