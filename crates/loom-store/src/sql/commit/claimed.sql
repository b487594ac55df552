FROM chosen CROSS JOIN loom_tasks ON loom_tasks.seq = chosen.seq
ORDER BY chosen.due_at, chosen.seq;
