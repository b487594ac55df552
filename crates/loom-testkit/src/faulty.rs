//! A store that fails when a test says so.

use std::sync::Arc;

use async_trait::async_trait;
use loom_core::{
    Attempt, Batch, Capability, Committed, Cursor, Held, Instance, InstanceId, Membership,
    OutputStore, Page, StatusCounts, StoreError, Task, TaskId, TaskQuery, TaskStore,
};
use tokio::sync::watch;

/// A store that passes everything on to another, except where its [`Faults`] say otherwise.
///
/// ```
/// use loom_core::{Batch, Instance, InstanceId, StoreError, TaskStore};
/// use loom_deps::Timestamp;
/// use loom_testkit::{FaultyStore, MemoryStore};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (store, faults) = FaultyStore::new(MemoryStore::new());
/// let id = InstanceId::new("instance").unwrap();
/// let instance = Instance::new(id.clone(), "default", Timestamp::from_micros(0));
/// let _membership = store.join(&instance).await?;
///
/// faults.away(1);
/// let batch = Batch { instance: id, number: 1, ops: vec![] };
/// let refused = store.commit(&batch).await;
/// assert!(matches!(refused, Err(StoreError::Unavailable { .. })));
/// assert!(store.commit(&batch).await.is_ok());
/// # Ok::<(), StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct FaultyStore<S> {
    inner: S,
    faults: Faults,
}

impl<S: TaskStore> FaultyStore<S> {
    /// Puts `inner` behind faults. There are none until they are asked for.
    #[must_use]
    pub fn new(inner: S) -> (Self, Faults) {
        let faults = Faults::default();
        let store = Self { inner, faults: faults.clone() };
        (store, faults)
    }
}

/// Says which commits of a [`FaultyStore`] fail, and how. Clones speak of the same store.
#[derive(Clone, Debug, Default)]
pub struct Faults(watch::Sender<Plan>);

#[derive(Debug, Default)]
struct Plan {
    /// Commits that have come, those that wait or fail included.
    commits: u64,
    /// Those that wait at the gate.
    waiting: usize,
    /// Who keeps the gate shut.
    gates: usize,
    /// The next so many are refused.
    away: u64,
    /// The numbers, among `commits`, of those whose answer gets lost.
    lost: Vec<u64>,
}

/// What becomes of a commit.
enum Fate {
    Refused,
    AnswerLost,
    Done,
}

impl Faults {
    /// Refuses the next `commits` commits as [`StoreError::Unavailable`]; they change nothing.
    /// Zero makes the store reachable again.
    pub fn away(&self, commits: u64) {
        self.0.send_modify(|plan| plan.away = commits);
    }

    /// Refuses every commit until [`back`](Self::back) is called.
    pub fn go_away(&self) {
        self.away(u64::MAX);
    }

    /// Makes the store reachable again.
    pub fn back(&self) {
        self.away(0);
    }

    /// Applies the `nth` commit from now (1 is the next) and answers [`StoreError::Unknown`].
    pub fn lose_answer(&self, nth: u64) {
        self.0.send_modify(|plan| {
            let number = plan.commits.saturating_add(nth);
            plan.lost.push(number);
        });
    }

    /// Makes commits wait, before they change anything, until the answer is dropped.
    pub fn hold(&self) -> Gate {
        self.0.send_modify(|plan| plan.gates += 1);
        Gate(self.clone())
    }

    /// How many commits have come, those that wait or failed included.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.0.borrow().commits
    }

    /// Returns when `count` commits have come in all. Cancel safe.
    pub async fn reached(&self, count: u64) {
        self.until(|plan| plan.commits >= count).await;
    }

    /// Returns when `count` commits wait at the gate. Cancel safe.
    pub async fn waiting(&self, count: usize) {
        self.until(|plan| plan.waiting >= count).await;
    }

    async fn until(&self, condition: impl FnMut(&Plan) -> bool) {
        // The sender that could go away is the one borrowed here.
        let _ = self.0.subscribe().wait_for(condition).await;
    }

    /// Counts a commit; its number.
    fn arrive(&self) -> u64 {
        let mut number = 0;
        self.0.send_modify(|plan| {
            plan.commits += 1;
            number = plan.commits;
        });
        number
    }

    async fn pass_gate(&self) {
        if self.0.borrow().gates > 0 {
            self.0.send_modify(|plan| plan.waiting += 1);
            let _counted = Waiting(self);
            self.until(|plan| plan.gates == 0).await;
        }
    }

    fn fate(&self, number: u64) -> Fate {
        let mut fate = Fate::Done;
        self.0.send_modify(|plan| {
            if plan.away > 0 {
                // A store that is away for good stays away.
                plan.away -= u64::from(plan.away < u64::MAX);
                fate = Fate::Refused;
            } else if plan.lost.contains(&number) {
                plan.lost.retain(|lost| *lost != number);
                fate = Fate::AnswerLost;
            }
        });
        fate
    }
}

/// Keeps commits waiting until it is dropped.
#[derive(Debug)]
#[must_use = "the gate opens when this is dropped"]
pub struct Gate(Faults);

impl Gate {
    /// Lets the commits go on.
    pub fn open(self) {}
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.0.0.send_modify(|plan| plan.gates -= 1);
    }
}

/// A commit that waits is counted until it goes on or is dropped.
struct Waiting<'a>(&'a Faults);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|plan| plan.waiting -= 1);
    }
}

#[async_trait]
impl<S: TaskStore> TaskStore for FaultyStore<S> {
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
        let number = self.faults.arrive();
        self.faults.pass_gate().await;
        match self.faults.fate(number) {
            Fate::Refused => {
                Err(StoreError::Unavailable { source: "a test took the store away".into() })
            }
            Fate::AnswerLost => {
                self.inner.commit(batch).await?;
                Err(StoreError::Unknown {
                    number: batch.number,
                    source: "a test lost the answer".into(),
                })
            }
            Fate::Done => self.inner.commit(batch).await,
        }
    }

    async fn get(&self, ids: &[TaskId]) -> Result<Vec<Task>, StoreError> {
        self.inner.get(ids).await
    }

    async fn list(&self, query: &TaskQuery) -> Result<Page, StoreError> {
        self.inner.list(query).await
    }

    async fn left_by(
        &self,
        instance: &InstanceId,
        after: Option<Cursor>,
    ) -> Result<Page<Task>, StoreError> {
        self.inner.left_by(instance, after).await
    }

    async fn count(&self, query: &TaskQuery) -> Result<StatusCounts, StoreError> {
        self.inner.count(query).await
    }

    async fn attempts(&self, task: &TaskId) -> Result<Vec<Attempt>, StoreError> {
        self.inner.attempts(task).await
    }

    async fn holds(&self) -> Result<Vec<Held>, StoreError> {
        self.inner.holds().await
    }

    async fn changed(&self) -> Result<(), StoreError> {
        self.inner.changed().await
    }

    fn output(&self) -> Option<Arc<dyn OutputStore>> {
        self.inner.output()
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}
