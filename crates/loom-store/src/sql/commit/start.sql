UPDATE loom_tasks SET
    status = 'running',
    attempt = attempt + 1,
    -- Moments in a task's life never run backwards, even if the wall clock does.
    started_at = max(?2, created_at, coalesce(started_at, dispatched_at, 0))
WHERE seq = ?1;
