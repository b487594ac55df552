SELECT version FROM _loom_migrations ORDER BY version;
