FROM json_each($1) AS wanted
CROSS JOIN loom_tasks ON loom_tasks.id = wanted.value
ORDER BY wanted.key;
