FROM loom_tasks
WHERE loom_tasks.seq = ?1;
