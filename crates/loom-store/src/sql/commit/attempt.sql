-- Keeps an attempt that is to be repeated, before its task is changed.
INSERT INTO loom_attempts (
    task, number, started_at, ended_at, status, reason, failure, error, output
)
SELECT seq, attempt, coalesce(started_at, at), at, 'retrying', ?3, ?4, ?5, ?6
FROM (
    SELECT
        seq, attempt, started_at,
        max(?2, created_at, coalesce(started_at, dispatched_at, 0)) AS at
    FROM loom_tasks WHERE seq = ?1
);
