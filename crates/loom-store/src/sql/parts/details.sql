    -- What summaries leave out, because it may be long.
    , loom_tasks.metadata
    , loom_tasks.prompt
    , loom_tasks.result
