//! The statuses of a task.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::transition::table;

/// Where a task stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TaskStatus {
    /// Waits for a slot, or for its time.
    Pending,
    /// Belongs to an instance that is about to start it.
    Dispatched,
    /// A worker is at it.
    Running,
    /// Waits for its next attempt.
    Retrying,
    /// Ended well.
    Completed,
    /// Ended badly; the error says why.
    Failed,
    /// The process that ran it died, or its worker panicked.
    FailedCrash,
    /// Ended because somebody asked for it.
    Cancelled,
}

impl TaskStatus {
    /// All statuses, in the order of a task's life.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Dispatched,
        Self::Running,
        Self::Retrying,
        Self::Completed,
        Self::Failed,
        Self::FailedCrash,
        Self::Cancelled,
    ];

    /// The name, as stored, serialised and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Dispatched => "dispatched",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::FailedCrash => "failed_crash",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether a task of this status has ended for good.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::FailedCrash | Self::Cancelled)
    }

    /// Whether a task of this status has not ended yet.
    #[must_use]
    pub const fn is_active(self) -> bool {
        !self.is_terminal()
    }

    /// Whether a task of this status waits to be claimed.
    #[must_use]
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Pending | Self::Retrying)
    }

    /// Whether a task of this status belongs to an instance.
    #[must_use]
    pub const fn is_owned(self) -> bool {
        matches!(self, Self::Dispatched | Self::Running)
    }

    /// Whether a task may go from this status straight to `target`.
    ///
    /// ```
    /// use loom_core::TaskStatus::{Completed, Pending, Running};
    ///
    /// assert!(Running.can_transition_to(Completed));
    /// assert!(!Pending.can_transition_to(Running));
    /// ```
    #[must_use]
    pub fn can_transition_to(self, target: Self) -> bool {
        table().iter().any(|row| row.edges().any(|edge| edge == (self, target)))
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown status {0:?}; known are pending, dispatched, running, retrying, completed, failed, \
     failed_crash and cancelled"
)]
pub struct ParseStatusError(String);

impl FromStr for TaskStatus {
    type Err = ParseStatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|status| status.as_str() == text);
        named.ok_or_else(|| ParseStatusError(text.to_owned()))
    }
}

impl Serialize for TaskStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
