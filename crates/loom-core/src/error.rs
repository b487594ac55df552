//! What callers of an engine can be told.

use crate::ids::{TaskId, WorkerType};
use crate::output::OutputError;
use crate::status::TaskStatus;
use crate::store::StoreError;

/// What an engine answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A request that cannot be taken. Nothing was stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidRequest {
    field: &'static str,
    problem: String,
}

impl InvalidRequest {
    /// Says what is wrong with `field`.
    pub fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }

    /// The field that is wrong.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }
}

/// What an engine cannot do, sorted by what its caller can.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The engine takes no more tasks. Nothing was stored.
    #[error("the engine is closed")]
    Closed,
    /// The request is at fault. Nothing was stored.
    #[error("the request cannot be taken: {0}")]
    Invalid(#[from] InvalidRequest),
    /// No task of this id.
    #[error("no task {0}")]
    NotFound(TaskId),
    /// The task has ended already.
    #[error("task {task} has already ended as {status}")]
    AlreadyEnded {
        /// The task.
        task: TaskId,
        /// How it ended.
        status: TaskStatus,
    },
    /// The worker type has a worker already.
    #[error("there is a worker for {0:?} already; `replace` it if that is meant")]
    WorkerExists(WorkerType),
    /// The worker says that it is for another type.
    #[error("the worker registered for {asked:?} says it is for {declared:?}")]
    WorkerMismatch {
        /// The type it was registered for.
        asked: WorkerType,
        /// The type it names.
        declared: WorkerType,
    },
    /// No worker for this type, and the engine is set to refuse such tasks. Nothing was stored.
    #[error("no worker for {0:?}; register one, or submit to an engine that has one")]
    NoWorker(WorkerType),
    /// The setting of an engine cannot be used.
    #[error("the engine cannot be started: {0}")]
    Build(InvalidRequest),
    /// It is unknown whether the task was stored; asking for it by its id tells.
    #[error("it is unknown whether task {task} was stored: {source}; look it up by its id")]
    Unconfirmed {
        /// The id that the task has if it was stored.
        task: TaskId,
        /// Why it is unknown.
        source: StoreError,
    },
    /// These tasks were still running when the time to wait was over. They go on.
    #[error("{}", still_running(.tasks.len()))]
    StillRunning {
        /// The tasks.
        tasks: Vec<TaskId>,
    },
    /// The time to wait was over before the task's end. The task goes on.
    #[error("task {0} has not ended within the time to wait; it goes on")]
    WaitTimeout(TaskId),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// What is kept of a task's output cannot be read or removed.
    #[error(transparent)]
    Output(#[from] OutputError),
}

fn still_running(tasks: usize) -> String {
    if tasks == 1 {
        "1 task is still running".to_owned()
    } else {
        format!("{tasks} tasks are still running")
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::Closed,
            other => Self::Store(other),
        }
    }
}
