//! Where tasks are kept.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::attempt::Attempt;
use crate::hold::Held;
use crate::ids::{InstanceId, TaskId};
use crate::instance::{Instance, Membership};
use crate::op::{Batch, Capability, Committed, Unreadable};
use crate::output::OutputStore;
use crate::query::{Cursor, Page, StatusCounts, TaskQuery};
use crate::task::{Task, TaskSummary};

/// An error of what lies beneath a store.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// A store cannot do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached, is locked or has no room. Nothing was changed; try again later.
    #[error("the store is away: {source}; nothing was changed, try again")]
    Unavailable {
        /// Why.
        source: Source,
    },
    /// The commit may have happened or not. Sending the same batch again tells.
    #[error("it is unknown whether batch {number} was committed: {source}")]
    Unknown {
        /// The number of the batch.
        number: u64,
        /// Why.
        source: Source,
    },
    /// The store does not know the operation. The batch was refused as a whole.
    #[error("the store cannot {0:?}; the batch was refused as a whole")]
    Unsupported(Capability),
    /// The instance has not joined, or has left. The batch was refused as a whole.
    #[error("instance {0} has not joined the store")]
    NotJoined(InstanceId),
    /// The place cannot be used as a store, now or later, without somebody doing something.
    #[error("cannot use {path} as a store: {problem}; {hint}", path = path.display())]
    Refused {
        /// The place.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        hint: String,
        /// Why, where something beneath said so.
        source: Option<Source>,
    },
    /// What is stored of the task cannot be read.
    #[error("task {task} cannot be read: {why}")]
    Unreadable {
        /// The task.
        task: TaskId,
        /// What cannot be read.
        why: String,
    },
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

/// Keeps tasks. Knows no workers, no engine and no policy: it applies batches and answers queries.
///
/// The guarantees that callers rely on are pinned by the conformance suite of `loom-testkit`, which
/// every implementation should run. Dropping a future of any of these methods leaves the store
/// sound; a commit whose future is dropped may or may not happen.
#[async_trait]
pub trait TaskStore: Send + Sync + 'static {
    /// Makes the store ready: creates it, migrates it, checks it. Safe to repeat, also by several
    /// processes at once.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the place cannot be used; nothing has been changed then.
    async fn prepare(&self) -> Result<(), StoreError>;

    /// What the store can do beyond what every store must.
    fn capabilities(&self) -> &[Capability];

    /// Makes `instance` one of those that may commit, alive while the answer is held.
    async fn join(&self, instance: &Instance) -> Result<Box<dyn Membership>, StoreError>;

    /// Applies `batch` as one atomic, durable step and answers operation by operation.
    ///
    /// A change whose guard does not hold is [`Applied::Stale`](crate::Applied::Stale), not an
    /// error, and does not disturb its neighbours.
    ///
    /// # Errors
    /// After [`StoreError::Unknown`] the same batch may be sent again; after every other error
    /// nothing has been changed.
    async fn commit(&self, batch: &Batch) -> Result<Committed, StoreError>;

    /// The tasks of these ids, in the order asked for; ids without a task are left out.
    async fn get(&self, ids: &[TaskId]) -> Result<Vec<Task>, StoreError>;

    /// A page of summaries.
    async fn list(&self, query: &TaskQuery) -> Result<Page, StoreError>;

    /// A page of whole tasks: of those of [`TaskQuery::left_by`], the ones after `after`. Whoever
    /// cannot be read is named and does not stand in the way of the others.
    ///
    /// Default: a list, and then a get of each task that it names.
    async fn left_by(
        &self,
        instance: &InstanceId,
        after: Option<Cursor>,
    ) -> Result<Page<Task>, StoreError> {
        let query = TaskQuery::left_by(instance.clone()).after(after);
        let Page { tasks, mut unreadable, next } = self.list(&query).await?;
        let mut whole = Vec::with_capacity(tasks.len());
        for TaskSummary { id, seq, epoch, .. } in tasks {
            match self.get(std::slice::from_ref(&id)).await {
                Ok(found) => whole.extend(found),
                Err(StoreError::Unreadable { task, why }) => {
                    unreadable.push(Unreadable { task, seq, epoch, why });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Page { tasks: whole, unreadable, next })
    }

    /// How many tasks a query asks for, whatever its limit.
    async fn count(&self, query: &TaskQuery) -> Result<StatusCounts, StoreError>;

    /// The attempts at a task, in order: those kept of before, then the latest.
    async fn attempts(&self, task: &TaskId) -> Result<Vec<Attempt>, StoreError>;

    /// The accounts that are kept as held, in the order of their names. Some may be over.
    ///
    /// Default: none, for a store without [`Capability::Hold`].
    async fn holds(&self) -> Result<Vec<Held>, StoreError> {
        Ok(Vec::new())
    }

    /// Returns when another process may have changed something; never, if none can.
    async fn changed(&self) -> Result<(), StoreError>;

    /// Where the output of tasks is kept while it comes, once the store is prepared. Default:
    /// nowhere; tasks then keep only what their attempts return.
    fn output(&self) -> Option<Arc<dyn OutputStore>> {
        None
    }

    /// Lets go of everything the store holds. Later calls answer [`StoreError::Closed`].
    async fn close(&self) -> Result<(), StoreError>;
}
