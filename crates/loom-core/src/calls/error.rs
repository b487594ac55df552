//! What a call on a store can answer instead.

use crate::error::InvalidRequest;
use crate::ids::{InstanceId, TaskId};
use crate::status::TaskStatus;
use crate::store::StoreError;

/// A call that was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The request or the engine's name is at fault. Nothing was stored.
    #[error("the call cannot be done: {0}")]
    Invalid(#[from] InvalidRequest),
    /// No task of this id.
    #[error("no task {0}")]
    NotFound(TaskId),
    /// The id is taken. Nothing was changed.
    #[error("there is a task {0} already; nothing was changed, take another id")]
    Exists(TaskId),
    /// No task may go from one of these statuses straight to the other. Nothing was changed.
    #[error("no task goes from {from} to {to}; {}", ways(*from))]
    Forbidden {
        /// The status that was to be left.
        from: TaskStatus,
        /// The status that was asked for.
        to: TaskStatus,
    },
    /// The task is not as its caller thinks. Nothing was changed.
    #[error(
        "task {task} was expected to be {expected} and is {found}, perhaps in other hands; nothing \
         was changed, read it again"
    )]
    Stale {
        /// The task.
        task: TaskId,
        /// The status that the change was to leave.
        expected: TaskStatus,
        /// The status that the task has.
        found: TaskStatus,
    },
    /// Another instance has the task in hand. Nothing was changed.
    #[error(
        "task {task} is in the hands of {instance}; nothing was changed, ask for its end with a \
         cancel"
    )]
    NotYours {
        /// The task.
        task: TaskId,
        /// Who has it in hand.
        instance: InstanceId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CallError {
    pub(super) fn stale(task: &TaskId, expected: TaskStatus, found: TaskStatus) -> Self {
        Self::Stale { task: task.clone(), expected, found }
    }
}

/// Where a task of this status may go.
fn ways(from: TaskStatus) -> String {
    let targets = TaskStatus::ALL.into_iter().filter(|to| from.can_transition_to(*to));
    let targets: Vec<&str> = targets.map(TaskStatus::as_str).collect();
    match targets.is_empty() {
        true => format!("{from} is an end"),
        false => format!("from {from} it may go to {}", targets.join(", ")),
    }
}
