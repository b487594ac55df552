-- What the instance has in hand, and what is pinned to it.
FROM loom_tasks
WHERE loom_tasks.seq IN (
        SELECT held.seq FROM loom_tasks AS held
        WHERE held.owner = (SELECT seq FROM loom_instances WHERE id = ?2)
        UNION
        SELECT pinned.seq FROM loom_tasks AS pinned WHERE pinned.pin = ?2
    )
