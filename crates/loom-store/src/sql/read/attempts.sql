SELECT number, started_at, ended_at, status, reason, failure, error, output
FROM loom_attempts
WHERE task = ?1
ORDER BY number;
