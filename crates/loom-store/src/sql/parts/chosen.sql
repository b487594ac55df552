-- `chosen`: the tasks that the claim takes, the longest due first. A limit that is a bare argument
-- would have the statement prepared anew for each value: the plus sign is against that.
WITH lane AS (
    SELECT
        one.key,
        CAST(substr($3, one.value ->> 0, one.value ->> 1) AS TEXT) AS worker_type,
        one.value ->> 2 AS room
    -- Inserts of this very batch that went in as claimed are all that its claim could take.
    FROM jsonb_each(
        iif((SELECT fused FROM loom_instances WHERE seq = $1 AND batch = $2), '[]', $9)
    ) AS one
),
due AS (
    SELECT
        loom_tasks.seq,
        loom_tasks.due_at,
        lane.room,
        row_number() OVER (
            PARTITION BY lane.key ORDER BY loom_tasks.due_at, loom_tasks.seq
        ) AS place
    FROM lane
    -- Lane by lane, so that a large backlog of one worker type is not walked through for another's
    -- tasks. Both halves come out of their index in order, and no more is read than is taken.
    CROSS JOIN loom_tasks ON loom_tasks.seq IN (
        SELECT seq FROM (
            SELECT seq, due_at FROM loom_tasks
            WHERE $11 AND engine = $7 AND pin IS NULL
                AND worker_type = lane.worker_type AND due_at <= $8
            UNION ALL
            SELECT seq, due_at FROM loom_tasks
            WHERE pin = $12 AND worker_type = lane.worker_type AND due_at <= $8
            ORDER BY due_at, seq
            LIMIT +$10
        )
    )
),
chosen AS (
    SELECT seq, due_at FROM due WHERE place <= room ORDER BY due_at, seq LIMIT +$10
)
