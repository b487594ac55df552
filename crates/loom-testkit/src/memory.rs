//! A store in memory.

mod holds;
mod output;
mod seats;
mod tables;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use loom_core::{
    Applied, Attempt, Batch, Capability, Committed, Held, Instance, Membership, OutputStore, Page,
    StatusCounts, StoreError, Task, TaskId, TaskQuery, TaskStore,
};
use tokio::sync::watch;

use output::Output;
use seats::{Member, Seats};
use tables::Tables;

/// A store in memory, for tests of engines and as the plainest example of a store.
///
/// A value is one handle on a place. [`reopen`](Self::reopen) and `clone` give further handles on
/// the same place, as other processes would have: each learns through
/// [`changed`](TaskStore::changed) of what the others commit, and never of its own commits. The
/// place lives as long as one of its handles or memberships. An instance is alive while its
/// membership is held.
///
/// It keeps what tasks print, at most 1 MiB each. It has every capability, unless a test takes one away by [`without`](Self::without).
///
/// ```
/// use loom_core::{TaskQuery, TaskStore};
/// use loom_testkit::MemoryStore;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = MemoryStore::new();
/// let other = store.reopen();
/// assert_eq!(other.count(&TaskQuery::all()).await?.total(), 0);
/// # Ok::<(), loom_core::StoreError>(())
/// # }).unwrap();
/// ```
pub struct MemoryStore {
    place: Arc<Place>,
    capabilities: Vec<Capability>,
    closed: AtomicBool,
    /// Changes of the place that are no news to this handle: those before it was made, and its own.
    own: AtomicU64,
    /// Changes by others that this handle has told of.
    told: AtomicU64,
}

/// What all handles share.
struct Place {
    state: Mutex<State>,
    /// Counts the commits that changed something.
    changes: watch::Sender<u64>,
    output: Arc<Output>,
}

#[derive(Default)]
struct State {
    tables: Tables,
    seats: Seats,
}

impl Place {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryStore {
    /// A handle on a new, empty place.
    #[must_use]
    pub fn new() -> Self {
        let (state, changes) = (Mutex::default(), watch::Sender::new(0));
        let place = Place { state, changes, output: Arc::default() };
        let capabilities =
            vec![Capability::Import, Capability::Prune, Capability::Hold, Capability::Reopen];
        Self::on(Arc::new(place), capabilities)
    }

    /// Another handle on the same place, as another process would open it.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self::on(Arc::clone(&self.place), self.capabilities.clone())
    }

    /// Takes a capability away from this handle and those that are made of it.
    #[must_use]
    pub fn without(mut self, capability: Capability) -> Self {
        self.capabilities.retain(|named| *named != capability);
        self
    }

    fn on(place: Arc<Place>, capabilities: Vec<Capability>) -> Self {
        let changes = *place.changes.borrow();
        Self {
            place,
            capabilities,
            closed: AtomicBool::new(false),
            own: AtomicU64::new(changes),
            told: AtomicU64::new(0),
        }
    }

    fn open(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed);
        }
        Ok(self.place.lock())
    }

    fn check(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut needed = batch.ops.iter().filter_map(loom_core::Op::requires);
        match needed.find(|capability| !self.capabilities.contains(capability)) {
            Some(capability) => Err(StoreError::Unsupported(capability)),
            None => Ok(()),
        }
    }

    /// How many changes others have made since this handle was. The lock keeps both counts in step.
    fn foreign(&self) -> Result<u64, StoreError> {
        let _state = self.open()?;
        let changes = *self.place.changes.borrow();
        Ok(changes.saturating_sub(self.own.load(Ordering::Relaxed)))
    }
}

/// Another handle on the same place.
impl Clone for MemoryStore {
    fn clone(&self) -> Self {
        self.reopen()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TaskStore for MemoryStore {
    async fn prepare(&self) -> Result<(), StoreError> {
        self.open().map(|_| ())
    }

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    async fn join(&self, instance: &Instance) -> Result<Box<dyn Membership>, StoreError> {
        self.open()?.seats.join(instance)?;
        Ok(Box::new(Member::new(Arc::clone(&self.place), instance)))
    }

    async fn commit(&self, batch: &Batch) -> Result<Committed, StoreError> {
        let mut state = self.open()?;
        // Whatever may be refused is refused here: what comes after cannot fail half way.
        self.check(batch)?;
        if let Some(before) = state.seats.answered(batch)? {
            return Ok(before);
        }
        let committed = state.tables.commit(batch);
        state.seats.remember(batch, &committed);
        if changes_something(&committed) {
            self.own.fetch_add(1, Ordering::Relaxed);
            self.place.changes.send_modify(|changes| *changes += 1);
        }
        Ok(committed)
    }

    async fn get(&self, ids: &[TaskId]) -> Result<Vec<Task>, StoreError> {
        Ok(self.open()?.tables.get(ids))
    }

    async fn list(&self, query: &TaskQuery) -> Result<Page, StoreError> {
        Ok(self.open()?.tables.list(query))
    }

    async fn count(&self, query: &TaskQuery) -> Result<StatusCounts, StoreError> {
        Ok(self.open()?.tables.count(query))
    }

    async fn attempts(&self, task: &TaskId) -> Result<Vec<Attempt>, StoreError> {
        Ok(self.open()?.tables.attempts(task))
    }

    async fn holds(&self) -> Result<Vec<Held>, StoreError> {
        Ok(self.open()?.tables.holds.all())
    }

    async fn changed(&self) -> Result<(), StoreError> {
        let mut changes = self.place.changes.subscribe();
        let told = self.told.load(Ordering::Relaxed);
        loop {
            let foreign = self.foreign()?;
            if foreign > told {
                self.told.fetch_max(foreign, Ordering::Relaxed);
                return Ok(());
            }
            // The sender lives in the place, which this handle keeps alive.
            let _ = changes.changed().await;
        }
    }

    fn output(&self) -> Option<Arc<dyn OutputStore>> {
        Some(Arc::clone(&self.place.output) as Arc<_>)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.closed.store(true, Ordering::Release);
        // Wakes whoever waits for a change, to be told of the end.
        self.place.changes.send_modify(|_| ());
        Ok(())
    }
}

fn changes_something(committed: &Committed) -> bool {
    let changed = |applied: &Applied| match applied {
        Applied::Inserted { .. }
        | Applied::Changed { .. }
        | Applied::Cancelled(_)
        | Applied::CancelRequested
        | Applied::Reported
        | Applied::Held(_) => true,
        Applied::Pruned(removed) => !removed.is_empty(),
        _ => false,
    };
    !committed.claimed.is_empty() || committed.applied.iter().any(changed)
}
