//! A store that refuses what it is told to refuse.

use std::sync::Arc;

use async_trait::async_trait;
use loom_core::{
    Attempt, Batch, Capability, Committed, Instance, Membership, Page, StatusCounts, StoreError,
    Task, TaskId, TaskQuery, TaskStore,
};
use loom_testkit::MemoryStore;
use tokio::sync::watch;

/// A store whose commits can be refused for good, and whose reads can fail.
pub(crate) struct Stubborn {
    inner: MemoryStore,
    mood: Mood,
}

/// Says what a [`Stubborn`] refuses.
#[derive(Clone, Default)]
pub(crate) struct Mood(Arc<watch::Sender<Refusals>>);

#[derive(Default)]
struct Refusals {
    commits: bool,
    gets: u64,
    committed: u64,
    failed_gets: u64,
}

impl Stubborn {
    pub(crate) fn new(inner: MemoryStore) -> (Self, Mood) {
        let mood = Mood::default();
        (Self { inner, mood: mood.clone() }, mood)
    }
}

impl Mood {
    /// Refuses every commit from now on, for good.
    pub(crate) fn refuse_commits(&self) {
        self.0.send_modify(|refusals| refusals.commits = true);
    }

    /// Fails the next so many reads of tasks.
    pub(crate) fn fail_gets(&self, count: u64) {
        self.0.send_modify(|refusals| refusals.gets = count);
    }

    /// How many commits have come.
    pub(crate) fn commits(&self) -> u64 {
        self.0.borrow().committed
    }

    /// Returns when so many commits have come in all.
    pub(crate) async fn reached(&self, commits: u64) {
        self.0.subscribe().wait_for(|refusals| refusals.committed >= commits).await.unwrap();
    }

    /// Returns when so many reads have failed in all.
    pub(crate) async fn failed_gets(&self, count: u64) {
        self.0.subscribe().wait_for(|refusals| refusals.failed_gets >= count).await.unwrap();
    }
}

fn unreadable() -> StoreError {
    StoreError::Unavailable { source: "a test does not let it be read".into() }
}

#[async_trait]
impl TaskStore for Stubborn {
    async fn prepare(&self) -> Result<(), StoreError> {
        self.inner.prepare().await
    }

    fn capabilities(&self) -> &[Capability] {
        self.inner.capabilities()
    }

    async fn join(&self, instance: &Instance) -> Result<Box<dyn Membership>, StoreError> {
        self.inner.join(instance).await
    }

    async fn commit(&self, batch: &Batch) -> Result<Committed, StoreError> {
        self.mood.0.send_modify(|refusals| refusals.committed += 1);
        if self.mood.0.borrow().commits {
            return Err(StoreError::Unsupported(Capability::Prune));
        }
        self.inner.commit(batch).await
    }

    async fn get(&self, ids: &[TaskId]) -> Result<Vec<Task>, StoreError> {
        let mut fails = false;
        self.mood.0.send_modify(|refusals| {
            fails = refusals.gets > 0;
            refusals.gets -= u64::from(fails);
            refusals.failed_gets += u64::from(fails);
        });
        if fails { Err(unreadable()) } else { self.inner.get(ids).await }
    }

    async fn list(&self, query: &TaskQuery) -> Result<Page, StoreError> {
        self.inner.list(query).await
    }

    async fn count(&self, query: &TaskQuery) -> Result<StatusCounts, StoreError> {
        self.inner.count(query).await
    }

    async fn attempts(&self, task: &TaskId) -> Result<Vec<Attempt>, StoreError> {
        self.inner.attempts(task).await
    }

    async fn changed(&self) -> Result<(), StoreError> {
        self.inner.changed().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}
