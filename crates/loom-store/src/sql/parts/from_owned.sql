-- What the instance has in hand: the index holds these in the order of their numbers.
FROM loom_tasks
WHERE loom_tasks.owner = (SELECT seq FROM loom_instances WHERE id = ?2)
