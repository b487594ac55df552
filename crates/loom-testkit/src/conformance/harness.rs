//! A store under test, and how a case says what is wrong with it.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use loom_core::{
    Attempt, Capability, Page, StatusCounts, StoreError, Task, TaskId, TaskQuery, TaskStore,
};

use super::StoreFactory;
use super::actor::Actor;

/// Ends a case: the store does not keep what it must.
#[track_caller]
pub(super) fn broken(guarantee: &str) -> ! {
    #[expect(clippy::panic, reason = "this is how a case of the suite fails")]
    {
        panic!("the store does not keep this: {guarantee}")
    }
}

/// The value, or the end of the case.
#[track_caller]
pub(super) fn must<T, E: Display>(result: Result<T, E>, guarantee: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => broken(&format!("{guarantee} (it answered: {error})")),
    }
}

/// The only one of `found`, or the end of the case.
#[track_caller]
pub(super) fn only<T>(found: Vec<T>, guarantee: &str) -> T {
    let count = found.len();
    match <[T; 1]>::try_from(found) {
        Ok([one]) => one,
        Err(_) => broken(&format!("{guarantee} (there are {count} instead of one)")),
    }
}

/// A prepared store on a place of its own, for one case.
pub struct Harness {
    place: Box<dyn Place>,
    store: Arc<dyn TaskStore>,
    joined: AtomicU64,
}

/// A place that can be opened again, whatever its store's type.
#[async_trait]
trait Place: Send + Sync {
    async fn reopen(&self) -> Option<Arc<dyn TaskStore>>;
}

struct Opened<F: StoreFactory> {
    factory: F,
    store: Arc<F::Store>,
}

#[async_trait]
impl<F: StoreFactory> Place for Opened<F> {
    async fn reopen(&self) -> Option<Arc<dyn TaskStore>> {
        let again = self.factory.reopen(&self.store).await?;
        Some(Arc::new(again))
    }
}

impl Harness {
    /// Opens and prepares a new store.
    ///
    /// # Panics
    /// If the store cannot be prepared.
    pub async fn new(factory: impl StoreFactory) -> Self {
        let store = Arc::new(factory.create().await);
        must(store.prepare().await, "a new place can be prepared");
        Self {
            store: Arc::clone(&store) as Arc<dyn TaskStore>,
            place: Box::new(Opened { factory, store }),
            joined: AtomicU64::new(0),
        }
    }

    /// The store under test.
    #[must_use]
    pub fn store(&self) -> &dyn TaskStore {
        &*self.store
    }

    pub(super) fn can(&self, capability: Capability) -> bool {
        self.store.capabilities().contains(&capability)
    }

    /// The place opened once more, if that is possible.
    pub(super) async fn reopen(&self) -> Option<Arc<dyn TaskStore>> {
        let again = self.place.reopen().await?;
        must(again.prepare().await, "a place can be prepared by a second handle");
        Some(again)
    }

    /// A second handle on the place where there can be one, otherwise the same.
    pub(super) async fn second(&self) -> Arc<dyn TaskStore> {
        let again = self.reopen().await;
        again.unwrap_or_else(|| Arc::clone(&self.store))
    }

    /// An instance of the engine `default` that has joined.
    pub(super) async fn join(&self) -> Actor {
        self.join_as("default").await
    }

    pub(super) async fn join_as(&self, engine_name: &str) -> Actor {
        self.join_on(&self.store, engine_name).await
    }

    /// An instance that has joined through the handle `store`.
    pub(super) async fn join_on(&self, store: &Arc<dyn TaskStore>, engine_name: &str) -> Actor {
        let number = self.joined.fetch_add(1, Ordering::Relaxed);
        Actor::join(Arc::clone(store), engine_name, number).await
    }

    pub(super) async fn get(&self, ids: &[TaskId]) -> Vec<Task> {
        must(self.store.get(ids).await, "tasks can be read by their ids")
    }

    pub(super) async fn find(&self, id: &TaskId) -> Option<Task> {
        self.get(std::slice::from_ref(id)).await.pop()
    }

    pub(super) async fn task(&self, id: &TaskId) -> Task {
        match self.find(id).await {
            Some(task) => task,
            None => broken(&format!("a task that was inserted can be read ({id} cannot)")),
        }
    }

    pub(super) async fn attempts(&self, id: &TaskId) -> Vec<Attempt> {
        must(self.store.attempts(id).await, "the attempts at a task can be read")
    }

    pub(super) async fn list(&self, query: &TaskQuery) -> Page {
        must(self.store.list(query).await, "tasks can be listed")
    }

    pub(super) async fn count(&self, query: &TaskQuery) -> StatusCounts {
        must(self.store.count(query).await, "tasks can be counted")
    }

    /// The ids of the tasks that a query asks for, in its order.
    pub(super) async fn ids(&self, query: &TaskQuery) -> Vec<TaskId> {
        let page = self.list(query).await;
        page.tasks.into_iter().map(|task| task.id).collect()
    }

    pub(super) async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}

impl std::fmt::Debug for Harness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Harness").finish_non_exhaustive()
    }
}
