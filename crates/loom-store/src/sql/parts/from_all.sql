-- Along the primary key: no index fits, and SQLite is not to think otherwise.
FROM loom_tasks NOT INDEXED
WHERE TRUE
