GROUP BY loom_tasks.status;
