//! What happened to a task, for whoever wants to know.

use std::fmt;
use std::str::FromStr;

use loom_deps::Timestamp;
use serde::{Serialize, Serializer};

use crate::ids::TaskId;
use crate::status::TaskStatus;

/// The kinds of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventType {
    /// The task is durable.
    Created,
    /// It was handed to an instance.
    Dispatched,
    /// An attempt started.
    Running,
    /// It ended well.
    Completed,
    /// It ended badly.
    Failed,
    /// Its process died, or its worker panicked.
    FailedCrash,
    /// An attempt ended and another follows.
    Retrying,
    /// It ended because somebody asked for it.
    Cancelled,
    /// An attempt reported progress.
    Progress,
}

impl EventType {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Created,
        Self::Dispatched,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::FailedCrash,
        Self::Retrying,
        Self::Cancelled,
        Self::Progress,
    ];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "task.created",
            Self::Dispatched => "task.dispatched",
            Self::Running => "task.running",
            Self::Completed => "task.completed",
            Self::Failed => "task.failed",
            Self::FailedCrash => "task.failed_crash",
            Self::Retrying => "task.retrying",
            Self::Cancelled => "task.cancelled",
            Self::Progress => "task.progress",
        }
    }

    /// The event that tells of a task's arrival at `status`.
    #[must_use]
    pub const fn arrival(status: TaskStatus) -> Self {
        match status {
            TaskStatus::Pending => Self::Created,
            TaskStatus::Dispatched => Self::Dispatched,
            TaskStatus::Running => Self::Running,
            TaskStatus::Retrying => Self::Retrying,
            TaskStatus::Completed => Self::Completed,
            TaskStatus::Failed => Self::Failed,
            TaskStatus::FailedCrash => Self::FailedCrash,
            TaskStatus::Cancelled => Self::Cancelled,
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no kind of event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown event type {0:?}")]
pub struct ParseEventTypeError(String);

impl FromStr for EventType {
    type Err = ParseEventTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        named.ok_or_else(|| ParseEventTypeError(text.to_owned()))
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Something that has happened to a task and is already durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskEvent {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// To which task.
    pub task_id: TaskId,
    /// Whose work it is.
    pub project_id: String,
    /// The request that led to the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The status that the task has arrived at.
    pub status: TaskStatus,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Counts the events of an engine's start, without gaps.
    pub sequence: u64,
    /// The attempt that it belongs to; 0 before the first.
    pub attempt: u32,
    /// Why: of a retry its reason, of a failure its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The line that was reported. Only of progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
}

impl TaskEvent {
    /// An event about a task of no project, without request id, attempt and reason: set them.
    #[must_use]
    pub fn new(
        kind: EventType,
        task_id: TaskId,
        status: TaskStatus,
        timestamp: Timestamp,
        sequence: u64,
    ) -> Self {
        Self {
            kind,
            task_id,
            project_id: String::new(),
            request_id: None,
            status,
            timestamp,
            sequence,
            attempt: 0,
            reason: None,
            line: None,
        }
    }
}
