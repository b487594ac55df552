UPDATE loom_numbers SET value = ?1 WHERE kind = 'task' AND of = '' AND status = '';
