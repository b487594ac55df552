//! What the judge and an engine say to each other: JSON, a line each.

use serde::{Deserialize, Serialize};

/// What the judge asks of an engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Ask {
    /// Take a task.
    Submit(Errand),
    /// Wait for the end of a task, and tell it.
    Wait(String),
    /// Cancel a task, wait for its end, and tell it.
    Cancel(String),
    /// Shut down, without patience for what runs.
    Shutdown,
}

/// A task.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Errand {
    /// The arguments of the animal.
    pub args: Vec<String>,
    /// Where it works.
    pub cwd: String,
    /// How long it may take, in milliseconds.
    pub timeout_ms: Option<u64>,
}

impl Errand {
    /// Lets an animal with these arguments run in a directory.
    #[must_use]
    pub fn new(args: Vec<String>, cwd: impl Into<String>) -> Self {
        Self { args, cwd: cwd.into(), timeout_ms: None }
    }

    /// Sets how long it may take, in milliseconds.
    #[must_use]
    pub const fn timeout_ms(mut self, timeout_ms: Option<u64>) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }
}

/// What an engine answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Answer {
    /// It has started.
    Ready,
    /// The mode cannot be had on this machine, for this reason.
    Unavailable(String),
    /// The task has this id.
    Submitted(String),
    /// The task has ended.
    Ended(Ended),
    /// The engine is closed.
    Closed,
    /// It could not be done.
    Failed(String),
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ended {
    /// Its status.
    pub status: String,
    /// Its failure code.
    pub failure: Option<String>,
    /// Its error.
    pub error: Option<String>,
    /// How long its result is, in bytes.
    pub result_bytes: usize,
    /// How long all that is told beside the result is, in bytes: standard error is the most of it.
    pub metadata_bytes: usize,
}

impl Ended {
    /// A task that ended so, and printed nothing.
    #[must_use]
    pub fn of(status: impl Into<String>, failure: Option<&str>) -> Self {
        Self {
            status: status.into(),
            failure: failure.map(str::to_owned),
            error: None,
            result_bytes: 0,
            metadata_bytes: 0,
        }
    }
}
