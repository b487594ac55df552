UPDATE loom_tasks SET
    progress_line = coalesce(?3, progress_line),
    -- Stops at the greatest number there is, where adding would leave the whole numbers.
    progress_lines = progress_lines + min(?4, 9223372036854775807 - progress_lines),
    progress_at = ?5
WHERE id = ?1 AND epoch = ?2 AND status = 'running';
