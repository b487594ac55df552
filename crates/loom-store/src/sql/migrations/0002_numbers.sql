-- The numbers that commits change, side by side: together they are one page to write. By kind:
-- 'batch', the number of the latest batch of the instance in row `of`;
-- 'task', the number that a task was given last: people may have noted that of one removed since;
-- 'count', how many tasks of the engine `of` have a status.
CREATE TABLE loom_numbers (
    kind TEXT NOT NULL,
    of TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT '',
    value INTEGER NOT NULL,
    PRIMARY KEY (kind, of, status)
) STRICT, WITHOUT ROWID;

INSERT INTO loom_numbers (kind, of, value)
SELECT 'batch', seq, batch FROM loom_instances WHERE batch >= 0;
INSERT INTO loom_numbers (kind, value)
SELECT 'task', coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'loom_tasks'), 0);
INSERT INTO loom_numbers (kind, of, status, value)
SELECT 'count', engine, status, count(*) FROM loom_tasks GROUP BY engine, status;

DROP TRIGGER loom_batches_in_order;
DROP VIEW loom_batches;

-- Every start of an engine that is alive or has not been buried.
CREATE TABLE loom_new_instances (
    -- AUTOINCREMENT: tasks name their owner by this number, so none may be given twice.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    engine TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    -- The boot of the machine, or '', and the inode of the namespace of pids, or 0: a pid means
    -- something only beside them.
    boot TEXT NOT NULL,
    pid_namespace INTEGER NOT NULL,
    version TEXT NOT NULL,
    -- The file that is locked while the instance lives: an absolute path, or '' in memory.
    lock TEXT NOT NULL,
    -- JSON.
    worker_types TEXT NOT NULL DEFAULT '[]'
) STRICT;
INSERT INTO loom_new_instances
SELECT seq, id, engine, started_at, pid, boot, pid_namespace, version, lock, worker_types
FROM loom_instances;
-- Nor is a number given that one had which has been buried.
DELETE FROM sqlite_sequence WHERE name = 'loom_new_instances';
INSERT INTO sqlite_sequence (name, seq)
SELECT 'loom_new_instances', seq FROM sqlite_sequence WHERE name = 'loom_instances';
DROP TABLE loom_instances;
ALTER TABLE loom_new_instances RENAME TO loom_instances;

CREATE TRIGGER loom_instances_gone AFTER DELETE ON loom_instances
BEGIN
    DELETE FROM loom_numbers WHERE kind = 'batch' AND of = OLD.seq;
END;

-- The tables of tasks and attempts anew, for AUTOINCREMENT cannot be taken off a table. Attempts go
-- first when the old ones are dropped, so that nothing is deleted along with its task.
CREATE TABLE loom_new_tasks (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    engine TEXT NOT NULL,
    project TEXT NOT NULL,
    worker_type TEXT NOT NULL,
    -- The id of the only instance that may claim the task. A text, for it outlives the instance.
    pin TEXT,
    status TEXT NOT NULL,
    epoch INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    retries INTEGER NOT NULL DEFAULT 0,
    interruptions INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    -- The row of the instance that has the task in hand; set exactly while one has.
    owner INTEGER,
    -- Set exactly while the task waits.
    due_at INTEGER,
    cancel_at INTEGER,
    created_at INTEGER NOT NULL,
    dispatched_at INTEGER,
    started_at INTEGER,
    -- Set exactly when the task has ended.
    completed_at INTEGER,
    progress_line TEXT,
    progress_lines INTEGER NOT NULL DEFAULT 0,
    progress_at INTEGER,
    failure TEXT,
    error TEXT,
    -- JSON of what is asked for and no query needs; NULL if there is nothing of it.
    request TEXT,
    metadata TEXT,
    prompt TEXT NOT NULL,
    -- NULL if it is empty.
    result TEXT
) STRICT;
INSERT INTO loom_new_tasks SELECT * FROM loom_tasks;

CREATE TABLE loom_new_attempts (
    task INTEGER NOT NULL REFERENCES loom_new_tasks (seq) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    failure TEXT,
    error TEXT,
    output TEXT NOT NULL,
    PRIMARY KEY (task, number)
) STRICT;
INSERT INTO loom_new_attempts SELECT * FROM loom_attempts;

DROP TABLE loom_attempts;
DROP TABLE loom_tasks;
ALTER TABLE loom_new_tasks RENAME TO loom_tasks;
ALTER TABLE loom_new_attempts RENAME TO loom_attempts;

CREATE INDEX loom_tasks_waiting ON loom_tasks (engine, worker_type, due_at)
    WHERE due_at IS NOT NULL AND pin IS NULL;
CREATE INDEX loom_tasks_pinned ON loom_tasks (pin, worker_type, due_at) WHERE pin IS NOT NULL;
CREATE INDEX loom_tasks_owned ON loom_tasks (owner) WHERE owner IS NOT NULL;
CREATE INDEX loom_tasks_asked ON loom_tasks (owner)
    WHERE owner IS NOT NULL AND cancel_at IS NOT NULL;
-- Tasks without a project pay nothing for it.
CREATE INDEX loom_tasks_project ON loom_tasks (project) WHERE project <> '';
