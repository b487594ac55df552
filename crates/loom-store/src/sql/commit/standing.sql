SELECT seq, status, due_at IS NOT NULL, engine FROM loom_tasks WHERE id = ?1;
