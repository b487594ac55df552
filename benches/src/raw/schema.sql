-- What the Go library stores, so that the limit is that of the job and not of a schema of ours.
CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL DEFAULT 'pending',
    worker_type TEXT NOT NULL,
    project_id TEXT NOT NULL,
    request_id TEXT NOT NULL DEFAULT '',
    prompt TEXT NOT NULL,
    cwd TEXT DEFAULT '',
    env TEXT DEFAULT '{}',
    cli TEXT DEFAULT '',
    role TEXT DEFAULT '',
    model TEXT DEFAULT '',
    effort TEXT DEFAULT '',
    timeout INTEGER DEFAULT 0,
    metadata TEXT DEFAULT '{}',
    result TEXT DEFAULT '',
    error TEXT DEFAULT '',
    retries INTEGER DEFAULT 0,
    created_at DATETIME NOT NULL,
    dispatched_at DATETIME,
    completed_at DATETIME,
    engine_name TEXT NOT NULL DEFAULT '',
    daemon_uuid TEXT,
    last_seen_at TEXT,
    aborted_at TEXT
);
CREATE INDEX idx_tasks_project_id ON tasks (project_id);
CREATE INDEX idx_tasks_status ON tasks (status);
CREATE INDEX idx_tasks_engine_status ON tasks (engine_name, status);
