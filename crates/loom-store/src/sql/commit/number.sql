-- Notes the number of the batch, which fails if it was used before. Inserts that the claim of the
-- batch would take go in as claimed, which saves a write each: only if the batch itself allows it
-- ($6), nothing that is in the claim's reach was due before them, and none is there already.
INSERT INTO loom_batches (instance, number, fused)
SELECT $1, $2, CASE
    WHEN NOT $6 THEN 0
    WHEN EXISTS (
        SELECT 1
        FROM (
            SELECT CAST(substr($3, value ->> 0, value ->> 1) AS TEXT) AS worker_type
            FROM jsonb_each($9)
        ) AS lane
        WHERE EXISTS (
                SELECT 1 FROM loom_tasks
                WHERE $11 AND engine = $7 AND pin IS NULL
                    AND worker_type = lane.worker_type AND due_at <= $8
            )
            OR EXISTS (
                SELECT 1 FROM loom_tasks
                WHERE pin = $12 AND worker_type = lane.worker_type AND due_at <= $8
            )
    ) THEN 0
    ELSE NOT EXISTS (
        SELECT 1 FROM jsonb_each($4) AS new
        CROSS JOIN loom_tasks ON loom_tasks.id = new.value ->> 0
    )
END;
