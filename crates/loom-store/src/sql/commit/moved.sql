-- So many more tasks of an engine have a status, or less.
INSERT INTO loom_numbers (kind, of, status, value) VALUES ('count', ?1, ?2, ?3)
ON CONFLICT (kind, of, status) DO UPDATE SET value = value + excluded.value;
