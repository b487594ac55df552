-- Notes the number of the batch; changes nothing if it was used before, or nobody has joined.
INSERT INTO loom_numbers (kind, of, value)
SELECT 'batch', seq, ?2 FROM loom_instances WHERE seq = ?1
ON CONFLICT (kind, of, status) DO UPDATE SET value = excluded.value
    WHERE value < excluded.value;
