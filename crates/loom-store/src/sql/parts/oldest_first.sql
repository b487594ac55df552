-- The plus sign keeps SQLite from preparing the statement anew for each limit.
ORDER BY loom_tasks.seq LIMIT +?1;
