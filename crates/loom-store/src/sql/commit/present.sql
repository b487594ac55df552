-- The numbers of all tasks that were to be inserted; asked only if some of them were there before.
SELECT loom_tasks.seq, loom_tasks.id
FROM jsonb_each(iif(changes() < $5, $4, '[]')) AS new
CROSS JOIN loom_tasks ON loom_tasks.id = new.value ->> 0;
