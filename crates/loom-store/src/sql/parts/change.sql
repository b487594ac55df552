-- `change`: those of the changes asked for ($15) that their tasks admit, and what they come to.
-- MATERIALIZED: merged into an update it would have every task looked at.
WITH change AS MATERIALIZED (
    SELECT
        asked.value ->> 0 AS op,
        loom_tasks.seq,
        loom_tasks.status AS before,
        -- A recorded cancel turns every change into the task's end.
        iif(loom_tasks.cancel_at IS NULL, asked.value ->> 4, 'cancelled') AS after,
        -- Moments in a task's life never run backwards, even if the wall clock does.
        max(
            asked.value ->> 5,
            loom_tasks.created_at,
            coalesce(loom_tasks.started_at, loom_tasks.dispatched_at, 0)
        ) AS at,
        asked.value AS asked
    FROM jsonb_each($15) AS asked
    CROSS JOIN loom_tasks ON loom_tasks.id = asked.value ->> 1
    WHERE loom_tasks.epoch = asked.value ->> 2
        -- The statuses that the change may leave, each between blanks.
        AND instr(asked.value ->> 3, ' ' || loom_tasks.status || ' ')
)
