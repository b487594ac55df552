-- While something is in the hands of the instance, or waits for it alone, its row is what leads
-- others to it.
DELETE FROM loom_instances
WHERE seq = $1
    AND NOT EXISTS (SELECT 1 FROM loom_tasks WHERE owner = $1)
    AND NOT EXISTS (SELECT 1 FROM loom_tasks WHERE pin = $2 AND completed_at IS NULL);
