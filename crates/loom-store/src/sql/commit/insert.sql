-- Texts are slices of one blob: JSON would have to escape them, and cuts a text at a NUL.
INSERT INTO loom_tasks (
    id, engine, project, worker_type, pin,
    status, epoch, attempt, owner, due_at, created_at, dispatched_at, started_at,
    request, metadata, prompt
)
SELECT
    new.value ->> 0,
    CAST(substr($3, new.value ->> 1, new.value ->> 2) AS TEXT),
    CAST(substr($3, new.value ->> 3, new.value ->> 4) AS TEXT),
    CAST(substr($3, new.value ->> 5, new.value ->> 6) AS TEXT),
    new.value ->> 7,
    iif(new.started_at IS NULL, 'pending', 'running'),
    new.started_at IS NOT NULL,
    new.started_at IS NOT NULL,
    iif(new.started_at IS NULL, NULL, $1),
    iif(new.started_at IS NULL, new.value ->> 9, NULL),
    new.value ->> 8,
    new.started_at,
    new.started_at,
    CAST(substr($3, new.value ->> 11, new.value ->> 12) AS TEXT),
    CAST(substr($3, new.value ->> 13, new.value ->> 14) AS TEXT),
    CAST(substr($3, new.value ->> 15, new.value ->> 16) AS TEXT)
FROM (
    -- When the task starts, if it goes in as claimed.
    SELECT one.value, iif(me.fused, one.value ->> 10, NULL) AS started_at
    FROM loom_instances AS me CROSS JOIN jsonb_each($4) AS one
    WHERE me.seq = $1
) AS new
WHERE TRUE
ON CONFLICT (id) DO NOTHING
RETURNING seq, id, status = 'running';
