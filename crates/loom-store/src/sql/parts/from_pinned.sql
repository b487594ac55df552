-- What is pinned to the instance, unless it has that in hand.
FROM loom_tasks
WHERE loom_tasks.seq IN (
        SELECT pinned.seq FROM loom_tasks AS pinned WHERE pinned.pin = ?2
    )
    AND (loom_tasks.owner = (SELECT seq FROM loom_instances WHERE id = ?2)) IS NOT TRUE
