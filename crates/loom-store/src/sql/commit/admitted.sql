-- The task that a change is about, if the claim that it was made for still stands.
SELECT seq, status, cancel_at IS NOT NULL, engine FROM loom_tasks WHERE id = ?1 AND epoch = ?2;
