UPDATE loom_tasks SET
    status = ?3,
    owner = NULL,
    due_at = NULL,
    completed_at = max(?2, created_at, coalesce(started_at, dispatched_at, 0)),
    failure = ?4,
    error = ?5,
    metadata = coalesce(?6, metadata),
    result = ?7
WHERE seq = ?1;
