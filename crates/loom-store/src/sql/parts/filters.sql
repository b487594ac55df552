    -- A condition that is not set always holds. Number and page come as bounds of `seq`.
    AND loom_tasks.seq BETWEEN $1 AND $2
    AND ($3 IS NULL OR loom_tasks.engine = $3)
    AND ($4 IS NULL OR loom_tasks.project = $4)
    AND ($5 IS NULL OR loom_tasks.worker_type = $5)
    AND ($6 IS NULL OR loom_tasks.status IN (SELECT value FROM json_each($6)))
