-- Whether anything waits that a claim may be about. Most often nothing does, and no lane is looked
-- at.
SELECT
    EXISTS (
        SELECT 1 FROM loom_tasks WHERE engine = ?1 AND pin IS NULL AND due_at IS NOT NULL
    ),
    EXISTS (SELECT 1 FROM loom_tasks WHERE pin = ?2 AND due_at IS NOT NULL);
