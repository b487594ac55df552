-- Answers with the mode that holds now, which may still be the old one.
PRAGMA journal_mode = WAL;
