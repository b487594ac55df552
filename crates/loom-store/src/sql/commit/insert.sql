-- A task that its own batch claims goes in as claimed, which saves a write.
INSERT INTO loom_tasks (
    seq, id, engine, project, worker_type, pin,
    status, epoch, attempt, owner, due_at, created_at, dispatched_at, started_at,
    request, metadata, prompt
)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10, ?11, ?12, ?12, ?13, ?14, ?15)
ON CONFLICT (id) DO NOTHING;
