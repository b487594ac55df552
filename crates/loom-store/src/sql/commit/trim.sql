-- Forgets the oldest attempts of tasks that have too many.
DELETE FROM loom_attempts
WHERE task IN (
        SELECT loom_tasks.seq
        FROM jsonb_each($16) AS repeated
        CROSS JOIN loom_tasks ON loom_tasks.id = repeated.value ->> 0
    )
    AND number <= (
        SELECT max(latest.number) FROM loom_attempts AS latest
        WHERE latest.task = loom_attempts.task
    ) - $14;
