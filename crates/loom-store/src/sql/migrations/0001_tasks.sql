-- Moments are microseconds since the Unix epoch. Small columns come first and large texts last, so
-- that whoever needs only the small ones does not read the pages that long texts overflow to.
CREATE TABLE loom_tasks (
    -- AUTOINCREMENT: people may have noted the number of a task that was removed since.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
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

-- Every index is paid for by every task. Those that hold few rows are partial, and their conditions
-- are plain tests for NULL: a list of statuses in their place costs a third of the write speed.
CREATE INDEX loom_tasks_waiting ON loom_tasks (engine, worker_type, due_at)
    WHERE due_at IS NOT NULL AND pin IS NULL;
CREATE INDEX loom_tasks_pinned ON loom_tasks (pin, worker_type, due_at) WHERE pin IS NOT NULL;
CREATE INDEX loom_tasks_owned ON loom_tasks (owner) WHERE owner IS NOT NULL;
CREATE INDEX loom_tasks_asked ON loom_tasks (owner)
    WHERE owner IS NOT NULL AND cancel_at IS NOT NULL;
-- Without the engine: people ask for a project whatever the engine, and hardly ever does one
-- project belong to several. The number comes by itself, as in every index.
CREATE INDEX loom_tasks_project ON loom_tasks (project);

-- The attempts that were repeated. The latest attempt is told by the task itself.
CREATE TABLE loom_attempts (
    task INTEGER NOT NULL REFERENCES loom_tasks (seq) ON DELETE CASCADE,
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

-- Every start of an engine that is alive or has not been buried.
CREATE TABLE loom_instances (
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
    worker_types TEXT NOT NULL DEFAULT '[]',
    -- The number of the latest batch, and whether its inserts went in as claimed.
    batch INTEGER NOT NULL DEFAULT -1,
    fused INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The first write of every batch. A view, because only a trigger can raise an error, and because an
-- update of an instance that is not there would pass in silence.
CREATE VIEW loom_batches AS SELECT seq AS instance, batch AS number, fused FROM loom_instances;

CREATE TRIGGER loom_batches_in_order INSTEAD OF INSERT ON loom_batches
BEGIN
    SELECT RAISE(ABORT, 'loom: not joined')
        WHERE NOT EXISTS (SELECT 1 FROM loom_instances WHERE seq = NEW.instance);
    SELECT RAISE(ABORT, 'loom: repeated batch')
        WHERE EXISTS (
            SELECT 1 FROM loom_instances WHERE seq = NEW.instance AND batch >= NEW.number
        );
    UPDATE loom_instances SET batch = NEW.number, fused = NEW.fused WHERE seq = NEW.instance;
END;
