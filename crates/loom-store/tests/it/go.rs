//! Databases of the Go library: what is read of them, and that they are only read.

mod rows;
mod sample;
mod source;

use std::path::Path;

use loom_core::{Applied, Imported, Op, StoreError, Task, TaskStore};
use loom_deps::Timestamp;
use loom_store::{GoDatabase, GoPage, SqliteStore};
use sqlx::{Connection, Executor, SqliteConnection};

use crate::support::{Actor, Place, at, connect};

/// The present, for those who import.
pub(crate) fn now() -> Timestamp {
    at(1000)
}

/// The table as the first version made it.
pub(crate) const V0_1: &str = "CREATE TABLE tasks (id TEXT PRIMARY KEY, \
     status TEXT NOT NULL DEFAULT 'pending', worker_type TEXT NOT NULL, project_id TEXT NOT NULL, \
     request_id TEXT NOT NULL DEFAULT '', prompt TEXT NOT NULL, cwd TEXT DEFAULT '', \
     env TEXT DEFAULT '{}', cli TEXT DEFAULT '', role TEXT DEFAULT '', model TEXT DEFAULT '', \
     effort TEXT DEFAULT '', timeout INTEGER DEFAULT 0, metadata TEXT DEFAULT '{}', \
     result TEXT DEFAULT '', error TEXT DEFAULT '', retries INTEGER DEFAULT 0, \
     created_at DATETIME NOT NULL, dispatched_at DATETIME, completed_at DATETIME);";

/// What later versions have added, one after the other.
pub(crate) const LATER: [&str; 5] = [
    "ALTER TABLE tasks ADD COLUMN daemon_uuid TEXT; ALTER TABLE tasks ADD COLUMN last_seen_at TEXT; \
     ALTER TABLE tasks ADD COLUMN aborted_at TEXT;",
    "ALTER TABLE tasks ADD COLUMN engine_name TEXT NOT NULL DEFAULT '';",
    "ALTER TABLE tasks ADD COLUMN tenant_id TEXT NOT NULL DEFAULT '__legacy__';",
    "ALTER TABLE tasks ADD COLUMN last_output_line TEXT NOT NULL DEFAULT ''; \
     ALTER TABLE tasks ADD COLUMN progress_lines INTEGER NOT NULL DEFAULT 0; \
     ALTER TABLE tasks ADD COLUMN progress_updated_at DATETIME;",
    "ALTER TABLE tasks ADD COLUMN parent_task_id TEXT REFERENCES tasks(id);",
];

/// A database of the version that has the first `later` additions, with these statements run on it.
pub(crate) async fn made(path: &Path, later: usize, sql: &[&'static str]) -> SqliteConnection {
    let mut connection = connect(path).await;
    connection.execute(V0_1).await.unwrap();
    for &addition in &LATER[..later] {
        connection.execute(addition).await.unwrap();
    }
    for &statement in sql {
        connection.execute(statement).await.unwrap();
    }
    connection
}

/// A database of a place of its own, closed.
pub(crate) async fn go(later: usize, sql: &[&'static str]) -> Place {
    let place = Place::new();
    made(&place.path, later, sql).await.close().await.unwrap();
    place
}

/// All that a database holds.
pub(crate) async fn read(path: &Path) -> Result<GoPage, StoreError> {
    let mut database = GoDatabase::open(path).await?;
    let mut all = GoPage::default();
    while let Some(page) = database.page(now()).await? {
        all.tasks.extend(page.tasks);
        all.unreadable.extend(page.unreadable);
    }
    database.close().await;
    Ok(all)
}

/// The only task of a database.
pub(crate) async fn one(place: &Place) -> Task {
    let mut page = read(&place.path).await.unwrap();
    assert_eq!(page.unreadable, []);
    assert_eq!(page.tasks.len(), 1);
    page.tasks.pop().unwrap().into_task(0)
}

/// Imports into a new store; what is read back, in the same order.
pub(crate) async fn stored(tasks: &[Imported]) -> Vec<Task> {
    let store = SqliteStore::in_memory();
    let actor = Actor::join(&store, "importer").await;
    let ops = tasks.iter().map(|task| Op::Import(Box::new(task.clone()))).collect();
    let applied = actor.commit(ops).await.applied;
    assert!(applied.iter().all(|answer| matches!(answer, Applied::Inserted { .. })));
    let ids: Vec<_> = tasks.iter().map(|task| task.id().clone()).collect();
    store.get(&ids).await.unwrap()
}
