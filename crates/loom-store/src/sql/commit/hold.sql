-- Holds an account until a moment, unless it is held for longer. Of the kind 'hold' is the moment
-- until which the account `of` is held.
INSERT INTO loom_numbers (kind, of, value) VALUES ('hold', ?1, ?2)
ON CONFLICT (kind, of, status) DO UPDATE SET value = excluded.value
    WHERE value < excluded.value;
