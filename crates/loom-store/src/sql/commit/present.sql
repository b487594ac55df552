SELECT seq FROM loom_tasks WHERE id = ?1;
