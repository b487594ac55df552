-- The number that a task was given last.
SELECT value FROM loom_numbers WHERE kind = 'task' AND of = '' AND status = '';
