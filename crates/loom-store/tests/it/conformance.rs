//! What every store guarantees.

use async_trait::async_trait;
use loom_store::SqliteStore;
use loom_testkit::StoreFactory;
use tempfile::TempDir;

/// A database in a directory of its own.
struct InFile(TempDir);

impl InFile {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(self.0.path().join("tasks.db"))
    }
}

#[async_trait]
impl StoreFactory for InFile {
    type Store = SqliteStore;

    async fn create(&self) -> SqliteStore {
        self.open()
    }

    async fn reopen(&self, _store: &SqliteStore) -> Option<SqliteStore> {
        Some(self.open())
    }
}

struct InMemory;

#[async_trait]
impl StoreFactory for InMemory {
    type Store = SqliteStore;

    async fn create(&self) -> SqliteStore {
        SqliteStore::in_memory()
    }
}

mod file {
    use super::InFile;

    loom_testkit::store_conformance!(InFile::new());
}

mod memory {
    use super::InMemory;

    loom_testkit::store_conformance!(InMemory);
}
