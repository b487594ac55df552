-- Counts that commits keep: few rows, however many tasks there are.
SELECT counted.status, sum(counted.value) FROM loom_numbers AS counted
WHERE counted.kind = 'count'
    AND (?1 IS NULL OR counted.of = ?1)
    AND (?2 IS NULL OR counted.status IN (SELECT json_each.value FROM json_each(?2)))
GROUP BY counted.status;
