//! A store whose output is another one's.

use std::sync::Arc;

use async_trait::async_trait;
use loom_core::{
    Attempt, Batch, Capability, Committed, Instance, Membership, OutputStore, Page, StatusCounts,
    StoreError, Task, TaskId, TaskQuery, TaskStore,
};
use loom_testkit::MemoryStore;

pub(crate) struct Wrapped {
    pub(crate) store: MemoryStore,
    pub(crate) output: Option<Arc<dyn OutputStore>>,
}

#[async_trait]
impl TaskStore for Wrapped {
    async fn prepare(&self) -> Result<(), StoreError> {
        self.store.prepare().await
    }

    fn capabilities(&self) -> &[Capability] {
        self.store.capabilities()
    }

    async fn join(&self, instance: &Instance) -> Result<Box<dyn Membership>, StoreError> {
        self.store.join(instance).await
    }

    async fn commit(&self, batch: &Batch) -> Result<Committed, StoreError> {
        self.store.commit(batch).await
    }

    async fn get(&self, ids: &[TaskId]) -> Result<Vec<Task>, StoreError> {
        self.store.get(ids).await
    }

    async fn list(&self, query: &TaskQuery) -> Result<Page, StoreError> {
        self.store.list(query).await
    }

    async fn count(&self, query: &TaskQuery) -> Result<StatusCounts, StoreError> {
        self.store.count(query).await
    }

    async fn attempts(&self, task: &TaskId) -> Result<Vec<Attempt>, StoreError> {
        self.store.attempts(task).await
    }

    async fn changed(&self) -> Result<(), StoreError> {
        self.store.changed().await
    }

    fn output(&self) -> Option<Arc<dyn OutputStore>> {
        self.output.clone()
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}
