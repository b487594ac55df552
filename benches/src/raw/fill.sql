-- Tasks as loom stores them: ?1 of them, every ?2th in the hands of the instance ?3 (with ?2 = 0
-- none). Of the others most are completed.
WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < ?1),
old AS (
    SELECT
        i,
        CASE
            WHEN ?2 > 0 AND i % ?2 = 0 THEN iif(i / ?2 % 2 = 0, 'dispatched', 'running')
            WHEN i % 20 = 3 THEN 'failed'
            WHEN i % 20 = 7 THEN 'cancelled'
            ELSE 'completed'
        END AS status,
        1795358524804131 + i * 1000 AS created_at
    FROM number
)
INSERT INTO loom_tasks (
    id, engine, project, worker_type, status, epoch, attempt, owner,
    created_at, dispatched_at, started_at, completed_at, failure, error, prompt, result
)
SELECT
    printf('0199c0de-0000-7000-8000-%012x', i),
    'bench',
    'project-' || (i * 7919 % 1000),
    'old',
    status,
    1,
    status <> 'dispatched',
    iif(status IN ('dispatched', 'running'), ?3, NULL),
    created_at,
    created_at + 10,
    iif(status = 'dispatched', NULL, created_at + 20),
    iif(status IN ('dispatched', 'running'), NULL, created_at + 500),
    iif(status = 'failed', 'worker_error', NULL),
    iif(status = 'failed', 'the service answered with 500', NULL),
    ?4,
    iif(status = 'completed', ?4, NULL)
FROM old;
