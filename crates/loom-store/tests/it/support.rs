//! What several modules need.

use std::path::{Path, PathBuf};

use loom_core::{
    Batch, Claim, ClaimScope, Committed, Instance, InstanceId, Lane, Membership, NewTask, Op,
    StoreError, Task, TaskId, TaskRequest, TaskStore,
};
use loom_deps::Timestamp;
use loom_store::SqliteStore;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

/// So many seconds after a moment that all tests count from.
pub(crate) const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + seconds * 1_000_000)
}

pub(crate) fn id(text: &str) -> TaskId {
    TaskId::new(text).unwrap()
}

pub(crate) fn instance(name: &str) -> Instance {
    Instance::new(InstanceId::new(name).unwrap(), "default", at(0))
}

/// A task of the type `work`, due at second 0.
pub(crate) fn task(name: &str) -> NewTask {
    NewTask {
        id: id(name),
        engine_name: "default".to_owned(),
        request: TaskRequest::new("work", "do it"),
        created_at: at(0),
        pinned_to: None,
        daemon_id: None,
    }
}

pub(crate) fn insert(new: NewTask) -> Op {
    Op::Insert(Box::new(new))
}

pub(crate) fn claim(limit: u32) -> Op {
    Op::Claim(Claim {
        engine_name: "default".to_owned(),
        scope: ClaimScope::Shared,
        lanes: vec![Lane::new("work", limit)],
        limit,
        now: at(10),
    })
}

/// A directory for a database, and the path of one in it.
pub(crate) struct Place {
    pub(crate) directory: TempDir,
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("tasks.db");
        Self { directory, path }
    }

    pub(crate) fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.path)
    }

    /// What stands beside and at the path.
    pub(crate) fn entries(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

/// A connection of somebody else.
pub(crate) async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

/// Runs statements on a database that somebody else has open.
pub(crate) async fn meddle(path: &Path, sql: &'static str) {
    let mut connection = connect(path).await;
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// An instance that has joined a store and numbers its batches.
pub(crate) struct Actor<'s> {
    pub(crate) store: &'s SqliteStore,
    pub(crate) membership: Box<dyn Membership>,
    id: InstanceId,
    number: std::cell::Cell<u64>,
}

impl<'s> Actor<'s> {
    pub(crate) async fn join(store: &'s SqliteStore, name: &str) -> Self {
        let instance = instance(name);
        let membership = store.join(&instance).await.unwrap();
        Self { store, membership, id: instance.id, number: std::cell::Cell::new(0) }
    }

    pub(crate) fn batch(&self, ops: Vec<Op>) -> Batch {
        self.number.set(self.number.get() + 1);
        Batch { instance: self.id.clone(), number: self.number.get(), ops }
    }

    pub(crate) async fn try_commit(&self, ops: Vec<Op>) -> Result<Committed, StoreError> {
        self.store.commit(&self.batch(ops)).await
    }

    pub(crate) async fn commit(&self, ops: Vec<Op>) -> Committed {
        self.try_commit(ops).await.unwrap()
    }

    pub(crate) async fn read(&self, name: &str) -> Task {
        self.store.get(&[id(name)]).await.unwrap().pop().unwrap()
    }
}
