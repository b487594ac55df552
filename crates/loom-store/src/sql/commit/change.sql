UPDATE loom_tasks SET
    status = change.after,
    epoch = loom_tasks.epoch + (change.after = 'dispatched'),
    attempt = loom_tasks.attempt + (change.after = 'running'),
    retries = loom_tasks.retries + iif(change.after = 'retrying', change.asked ->> 7, 0),
    interruptions = loom_tasks.interruptions
        + iif(change.after = 'retrying', change.asked ->> 8, 0),
    crashes = loom_tasks.crashes + iif(change.after = 'retrying', change.asked ->> 9, 0),
    owner = CASE change.after WHEN 'dispatched' THEN $1 WHEN 'running' THEN loom_tasks.owner END,
    due_at = iif(
        change.after = 'retrying',
        max(coalesce(change.asked ->> 6, change.at), change.at),
        NULL
    ),
    dispatched_at = iif(
        change.after = 'dispatched',
        coalesce(loom_tasks.dispatched_at, change.at),
        loom_tasks.dispatched_at
    ),
    started_at = iif(change.after = 'running', change.at, loom_tasks.started_at),
    completed_at = iif(change.after IN ('dispatched', 'running', 'retrying'), NULL, change.at),
    -- A task that was imported may have something of these before it ends.
    failure = CASE
        WHEN change.after IN ('failed', 'failed_crash') THEN change.asked ->> 10
        WHEN change.after IN ('dispatched', 'running', 'retrying') THEN loom_tasks.failure
    END,
    error = CASE
        WHEN change.after IN ('failed', 'failed_crash')
            THEN CAST(substr($3, change.asked ->> 11, change.asked ->> 12) AS TEXT)
        WHEN change.after IN ('dispatched', 'running', 'retrying') THEN loom_tasks.error
    END,
    metadata = iif(
        change.after IN ('dispatched', 'running'),
        loom_tasks.metadata,
        coalesce(
            CAST(substr($3, change.asked ->> 13, change.asked ->> 14) AS TEXT),
            loom_tasks.metadata
        )
    ),
    result = iif(
        change.after IN ('dispatched', 'running', 'retrying'),
        loom_tasks.result,
        CAST(substr($3, change.asked ->> 15, change.asked ->> 16) AS TEXT)
    )
FROM change
WHERE loom_tasks.seq = change.seq;
