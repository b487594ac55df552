-- Another number than before: another connection has committed something.
PRAGMA data_version;
