FROM loom_tasks WHERE loom_tasks.id = ?1;
