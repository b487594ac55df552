-- IMMEDIATE: a transaction that begins to write only later can fail in a way that no waiting cures.
BEGIN IMMEDIATE;
