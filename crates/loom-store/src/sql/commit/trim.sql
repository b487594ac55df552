-- Forgets the oldest attempts of a task that has too many.
DELETE FROM loom_attempts
WHERE task = ?1
    AND number <= (SELECT max(number) FROM loom_attempts WHERE task = ?1) - ?2;
