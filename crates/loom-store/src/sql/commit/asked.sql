-- What is in the hands of this instance and should end.
SELECT id, epoch FROM loom_tasks
WHERE owner = ?1 AND cancel_at IS NOT NULL
ORDER BY seq;
