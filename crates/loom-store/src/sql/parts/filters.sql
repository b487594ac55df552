    -- A condition that is not set always holds. Number and page come as bounds of `seq`.
    AND loom_tasks.seq BETWEEN ?3 AND ?4
    AND (?5 IS NULL OR loom_tasks.engine = ?5)
    AND (?6 IS NULL OR loom_tasks.project = ?6)
    AND (?7 IS NULL OR loom_tasks.worker_type = ?7)
    AND (?8 IS NULL OR loom_tasks.status IN (SELECT value FROM json_each(?8)))
