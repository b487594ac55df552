-- Read back, because a misspelt or refused pragma is not an error.
PRAGMA journal_mode;
PRAGMA synchronous;
PRAGMA foreign_keys;
PRAGMA busy_timeout;
PRAGMA trusted_schema;
PRAGMA cell_size_check;
PRAGMA wal_autocheckpoint;
PRAGMA cache_size;
