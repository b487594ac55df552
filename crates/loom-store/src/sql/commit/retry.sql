UPDATE loom_tasks SET
    status = 'retrying',
    owner = NULL,
    due_at = max(?3, ?2, created_at, coalesce(started_at, dispatched_at, 0)),
    retries = retries + ?4,
    interruptions = interruptions + ?5,
    crashes = crashes + ?6,
    metadata = coalesce(?7, metadata)
WHERE seq = ?1;
