INSERT INTO tasks (
    id, status, worker_type, project_id, request_id, prompt, cwd, env, cli, role, model, effort,
    timeout, metadata, result, error, retries, created_at, engine_name
) VALUES (
    ?1, 'pending', 'echo', ?2, '', ?3, '', '{}', '', '', '', '', 0, '{}', '', '', 0, ?4, 'bench'
);
