-- Forgets the hold of an account, if one is named, and those that are over.
DELETE FROM loom_numbers WHERE kind = 'hold' AND (of = ?1 OR value <= ?2);
