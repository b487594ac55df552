-- What a database that may not be ours holds of interest.
SELECT name FROM sqlite_schema
WHERE type = 'table'
    AND name IN (
        'loom_tasks', 'loom_attempts', 'loom_instances', 'loom_numbers', '_loom_migrations', 'tasks'
    );
