-- A task of another system, as it was there.
INSERT INTO loom_tasks (
    seq, id, engine, project, worker_type, status, attempt, retries,
    due_at, created_at, dispatched_at, completed_at,
    progress_line, progress_lines, progress_at, failure, error, request, metadata, prompt, result
)
VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21
)
ON CONFLICT (id) DO NOTHING;
