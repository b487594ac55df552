SELECT loom_tasks.status, count(*)
