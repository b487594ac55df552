//! What is kept of an attempt.

use std::fmt;

use loom_deps::Timestamp;
use serde::Serialize;

use crate::failure::FailureCode;
use crate::retry::RetryReason;
use crate::status::TaskStatus;
use crate::task::Task;

/// One attempt at a task.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// Counts from 1.
    pub number: u32,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The status that its end gave the task; running while it lasts.
    pub status: TaskStatus,
    /// Why another attempt followed, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<RetryReason>,
    /// What went wrong, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureCode>,
    /// What went wrong, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it produced: of an earlier attempt at most the first 64 KiB.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub output: String,
}

/// Shows how much was produced, not what.
impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("number", &self.number)
            .field("status", &self.status)
            .field("reason", &self.reason)
            .field("failure", &self.failure)
            .field("error", &self.error)
            .field("output_bytes", &self.output.len())
            .finish_non_exhaustive()
    }
}

impl Attempt {
    /// The attempt that `task` itself tells of: the one that runs, or the one that ended it.
    ///
    /// `None` before the first attempt, and while the task waits for its next one.
    #[must_use]
    pub fn latest(task: &Task) -> Option<Self> {
        let started_at = task.started_at.filter(|_| !task.status.is_waiting())?;
        Some(Self {
            number: task.attempt,
            started_at,
            ended_at: task.completed_at,
            status: task.status,
            reason: None,
            failure: task.failure,
            error: task.error.clone(),
            output: task.result.clone(),
        })
    }

    /// All attempts at `task` that are known, in order, made of the repeated ones that were `kept`.
    ///
    /// A task that ends, or is taken, while it waits for its next attempt still tells of the one
    /// before, which is among those kept: it is not listed twice.
    #[must_use]
    pub fn history(mut kept: Vec<Self>, task: &Task) -> Vec<Self> {
        let repeated = kept.last().map(|attempt| attempt.number);
        kept.extend(Self::latest(task).filter(|latest| Some(latest.number) != repeated));
        kept
    }
}
