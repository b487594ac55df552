SELECT seq, id, engine, started_at, pid, lock, worker_types
FROM loom_instances
WHERE engine = ?1 AND seq <> ?2
ORDER BY seq;
