-- The numbers of all tasks that were to be imported; asked only if some of them were there before.
SELECT loom_tasks.seq, loom_tasks.id
FROM jsonb_each(iif(changes() < $3, $2, '[]')) AS task
CROSS JOIN loom_tasks ON loom_tasks.id = task.value ->> 0;
