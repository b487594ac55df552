-- The tasks to be cancelled as they were before, for those that have ended or are not there.
SELECT asked.value ->> 0, loom_tasks.id, loom_tasks.status
FROM jsonb_each($17) AS asked
CROSS JOIN loom_tasks ON loom_tasks.id = asked.value ->> 1;
