//! Waiting for other tasks in the middle of an attempt.

use async_trait::async_trait;

use crate::cancellation::CancelReason;
use crate::error::Error;
use crate::ids::TaskId;
use crate::task::Task;

/// Waits for tasks on behalf of one attempt, and lets others have its slot meanwhile.
#[async_trait]
pub trait TaskWaiter: Send + Sync + 'static {
    /// Waits for the end of all these tasks and returns them, in the order asked for.
    ///
    /// # Errors
    /// As [`TaskContext::wait`](crate::TaskContext::wait).
    async fn wait(&self, tasks: &[TaskId]) -> Result<Vec<Task>, WaitError>;
}

/// An attempt cannot wait for a task, or need not wait any longer. The task goes on.
///
/// In a worker `?` is usually enough: an attempt that was told to stop ends as it was told to,
/// whatever error it returns.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The attempt was told to stop while it waited.
    #[error("the attempt was told to stop while it waited: {0:?}")]
    Stopped(CancelReason),
    /// The attempt waits for the very task that it is an attempt at.
    #[error("task {0} waits for itself, which would be for ever")]
    Itself(TaskId),
    /// The context was made without a waiter, as a test of a worker makes it.
    #[error("no engine to wait with; give the context one by `TaskContext::with_waiter`")]
    NoEngine,
    /// The engine cannot wait for it: no such task, or the store failed.
    #[error(transparent)]
    Engine(#[from] Error),
}
