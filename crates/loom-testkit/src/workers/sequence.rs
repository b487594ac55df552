//! A worker with ready-made answers.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use loom_core::{Task, TaskContext, Worker, WorkerError, WorkerResult};

/// A worker that gives its answers in order, one to each attempt, at once.
///
/// ```
/// use loom_core::WorkerError;
/// use loom_testkit::SequenceWorker;
///
/// let worker = SequenceWorker::new([
///     Err(WorkerError::transient("not yet")),
///     Ok("done".into()),
/// ]);
/// assert_eq!(worker.left(), 2);
/// ```
pub struct SequenceWorker(Mutex<VecDeque<Result<WorkerResult, WorkerError>>>);

impl SequenceWorker {
    /// A worker that gives these answers. An attempt for which none is left fails for good.
    pub fn new(answers: impl IntoIterator<Item = Result<WorkerResult, WorkerError>>) -> Self {
        Self(Mutex::new(answers.into_iter().collect()))
    }

    /// How many answers have not been given yet.
    #[must_use]
    pub fn left(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn next(&self) -> Option<Result<WorkerResult, WorkerError>> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.pop_front()
    }
}

impl fmt::Debug for SequenceWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SequenceWorker").field("left", &self.left()).finish()
    }
}

#[async_trait]
impl Worker for SequenceWorker {
    async fn execute(&self, _cx: &TaskContext, _task: &Task) -> Result<WorkerResult, WorkerError> {
        let none = || Err(WorkerError::permanent("the sequence of answers has ended"));
        self.next().unwrap_or_else(none)
    }
}
