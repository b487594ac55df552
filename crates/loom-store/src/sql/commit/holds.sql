-- The accounts that are held for longer: few rows, side by side.
SELECT of, value FROM loom_numbers WHERE kind = 'hold' AND value > ?1 ORDER BY of;
