INSERT INTO loom_instances (id, engine, started_at, pid, boot, pid_namespace, version, lock)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING seq;
