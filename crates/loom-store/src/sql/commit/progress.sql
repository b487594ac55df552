-- Several reports of one task have been made one before.
UPDATE loom_tasks SET
    progress_line = coalesce(
        CAST(substr($3, report.value ->> 2, report.value ->> 3) AS TEXT),
        progress_line
    ),
    -- Stops at the greatest number there is, where adding would leave the whole numbers.
    progress_lines = progress_lines
        + min(report.value ->> 4, 9223372036854775807 - progress_lines),
    progress_at = report.value ->> 5
FROM jsonb_each($13) AS report
WHERE loom_tasks.id = report.value ->> 0
    AND loom_tasks.epoch = report.value ->> 1
    AND loom_tasks.status = 'running'
RETURNING id, epoch;
