-- The second condition holds whenever this is asked; it is what the index wants to hear.
FROM loom_tasks INDEXED BY loom_tasks_project
WHERE loom_tasks.project = ?6 AND loom_tasks.project <> ''
