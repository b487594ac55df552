FROM loom_tasks INDEXED BY loom_tasks_project
WHERE loom_tasks.project = $4
