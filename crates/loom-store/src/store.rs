//! The store itself.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use loom_core::{
    Attempt, Batch, Capability, Committed, Cursor, Held, Instance, InstanceId, Membership, Op,
    OutputStore, Page, StatusCounts, StoreError, Task, TaskId, TaskQuery, TaskStore,
};
use tokio::sync::{OnceCell, watch};

use crate::membership::Member;
use crate::open::Open;
use crate::options::{Location, Settings, SqliteStoreBuilder};
use crate::output::{FileOutput, MemoryOutput};
use crate::plan::Plan;
use crate::{place, read, setup};

/// How often to look for commits of other processes.
const WATCH_INTERVAL: Duration = Duration::from_millis(50);

/// Tasks in an SQLite database.
///
/// A file may be shared by any number of stores and processes of one machine; a database in memory
/// belongs to one store and dies with it. Beside the file, `<file>.d` holds locks by which the
/// instances know who is alive, and what tasks print. What is not there yet is created for its user
/// alone.
///
/// What tasks print is written as it comes, without syncing: it survives the death of the process,
/// not necessarily a power cut. What a task has returned is in the database.
///
/// The store makes itself ready when it is first used; [`prepare`](TaskStore::prepare) does so ahead
/// of time. Its methods need a tokio runtime.
///
/// ```
/// use loom_core::{TaskQuery, TaskStore};
/// use loom_store::SqliteStore;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let store = SqliteStore::in_memory();
/// store.prepare().await?;
/// assert_eq!(store.count(&TaskQuery::all()).await?.total(), 0);
/// # Ok::<(), loom_core::StoreError>(())
/// # }).unwrap();
/// ```
pub struct SqliteStore {
    settings: Settings,
    open: OnceCell<Arc<Open>>,
    output: OnceLock<Arc<dyn OutputStore>>,
    closed: watch::Sender<bool>,
}

impl SqliteStore {
    /// A store on the database at `path`, with the settings that are usual. Nothing is read or
    /// written before the store is first used.
    #[must_use]
    pub fn open(path: impl AsRef<Path>) -> Self {
        Self::builder(path).build()
    }

    /// Sets up a store on the database at `path`.
    pub fn builder(path: impl AsRef<Path>) -> SqliteStoreBuilder {
        SqliteStoreBuilder::at(path.as_ref())
    }

    /// A store on a new database in memory, which is gone when the store is closed or dropped.
    #[must_use]
    pub fn in_memory() -> Self {
        SqliteStoreBuilder::new(Location::Memory).build()
    }

    pub(crate) fn new(settings: Settings) -> Self {
        let (open, output, closed) = (OnceCell::new(), OnceLock::new(), watch::Sender::new(false));
        Self { settings, open, output, closed }
    }

    async fn ready(&self) -> Result<&Arc<Open>, StoreError> {
        if *self.closed.borrow() {
            return Err(StoreError::Closed);
        }
        self.open
            .get_or_try_init(|| async { setup::open(&self.settings).await.map(Arc::new) })
            .await
    }

    fn check(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut needed = batch.ops.iter().filter_map(Op::requires);
        match needed.find(|capability| !self.capabilities().contains(capability)) {
            Some(capability) => Err(StoreError::Unsupported(capability)),
            None => Ok(()),
        }
    }

    /// Returns when somebody else has committed something.
    async fn watch(&self, open: &Open) -> Result<(), StoreError> {
        loop {
            if open.writer.has_news().await? {
                return Ok(());
            }
            let next = self.settings.clock.now().saturating_add(WATCH_INTERVAL);
            self.settings.timer.sleep_until(next).await;
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("location", &self.settings.location)
            .field("durability", &self.settings.durability)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TaskStore for SqliteStore {
    async fn prepare(&self) -> Result<(), StoreError> {
        self.ready().await.map(|_| ())
    }

    fn capabilities(&self) -> &[Capability] {
        match self.settings.location {
            Location::File(_) => {
                &[Capability::Import, Capability::Prune, Capability::Hold, Capability::Reopen]
            }
            Location::Memory => &[Capability::Import, Capability::Prune, Capability::Hold],
        }
    }

    async fn join(&self, instance: &Instance) -> Result<Box<dyn Membership>, StoreError> {
        let open = Arc::clone(self.ready().await?);
        Ok(Box::new(Member::join(open, instance).await?))
    }

    async fn commit(&self, batch: &Batch) -> Result<Committed, StoreError> {
        let open = self.ready().await?;
        self.check(batch)?;
        let seat = open.seats.get(&batch.instance)?;
        let plan = Plan::new(batch, seat.row);
        let outcome = open.writer.commit(plan, seat).await?;
        Ok(outcome.answer(batch))
    }

    async fn get(&self, ids: &[TaskId]) -> Result<Vec<Task>, StoreError> {
        read::get(self.ready().await?, ids).await
    }

    async fn list(&self, query: &TaskQuery) -> Result<Page, StoreError> {
        read::list(self.ready().await?, query).await
    }

    async fn left_by(
        &self,
        instance: &InstanceId,
        after: Option<Cursor>,
    ) -> Result<Page<Task>, StoreError> {
        read::left_by(self.ready().await?, instance, after).await
    }

    async fn count(&self, query: &TaskQuery) -> Result<StatusCounts, StoreError> {
        read::count(self.ready().await?, query).await
    }

    async fn attempts(&self, task: &TaskId) -> Result<Vec<Attempt>, StoreError> {
        read::attempts(self.ready().await?, task).await
    }

    async fn holds(&self) -> Result<Vec<Held>, StoreError> {
        read::holds(self.ready().await?).await
    }

    async fn changed(&self) -> Result<(), StoreError> {
        let open = self.ready().await?;
        let mut closed = self.closed.subscribe();
        let news = async {
            match self.settings.location {
                Location::File(_) => self.watch(open).await,
                Location::Memory => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            // The sender that could go away is borrowed here.
            _ = closed.wait_for(|closed| *closed) => Err(StoreError::Closed),
            news = news => news,
        }
    }

    fn output(&self) -> Option<Arc<dyn OutputStore>> {
        let (open, cap) = (self.open.get()?, self.settings.output_max);
        let new = || -> Arc<dyn OutputStore> {
            let clock = Arc::clone(&self.settings.clock);
            match self.settings.location {
                Location::File(_) => {
                    let directory = place::beside(&open.path, ".d").join("output");
                    Arc::new(FileOutput::new(directory, cap, clock))
                }
                Location::Memory => Arc::new(MemoryOutput::new(cap)),
            }
        };
        (cap > 0).then(|| Arc::clone(self.output.get_or_init(new)))
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.closed.send_replace(true);
        if let Some(open) = self.open.get() {
            open.close().await;
        }
        Ok(())
    }
}
