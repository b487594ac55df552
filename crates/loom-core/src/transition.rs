//! The one table of how a task may change, and the values that say so.

use std::fmt;

use loom_deps::Timestamp;

use crate::failure::FailureCode;
use crate::ids::TaskId;
use crate::op::Unreadable;
use crate::retry::RetryReason;
use crate::status::TaskStatus::{
    self, Cancelled, Completed, Dispatched, Failed, FailedCrash, Pending, Retrying, Running,
};
use crate::task::{Metadata, Task};

/// The kinds of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An instance takes a waiting task and starts it, in one step.
    Claim,
    /// An instance takes a waiting task.
    Dispatch,
    /// The attempt starts.
    Start,
    /// The attempt ended well.
    Complete,
    /// The attempt ended; another follows when it is due.
    Retry,
    /// The task ends badly.
    Fail,
    /// The process that ran the task died, or its worker panicked.
    Crash,
    /// The only process that might have claimed the task died before it did.
    Abandon,
    /// Somebody asked for the task's end.
    Cancel,
}

/// A row of the table: what a kind of change does to a task of one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The change.
    pub kind: Kind,
    /// The status it leaves.
    pub from: TaskStatus,
    /// The statuses it passes, the last of which is stored. Never empty.
    pub path: &'static [TaskStatus],
}

impl Row {
    /// The single steps, in order. Each is one event.
    pub fn edges(&self) -> impl Iterator<Item = (TaskStatus, TaskStatus)> + use<> {
        let Self { from, path, .. } = *self;
        std::iter::once(from).chain(path.iter().copied()).zip(path.iter().copied())
    }
}

const fn row(kind: Kind, from: TaskStatus, path: &'static [TaskStatus]) -> Row {
    Row { kind, from, path }
}

/// The table: every change that a task can undergo. What is not here cannot happen.
///
/// ```
/// use loom_core::{Kind, TaskStatus, table};
///
/// let from_running = table().iter().filter(|row| row.from == TaskStatus::Running);
/// assert!(from_running.clone().any(|row| row.kind == Kind::Complete));
/// assert!(table().iter().all(|row| !row.from.is_terminal()));
/// ```
#[must_use]
pub const fn table() -> &'static [Row] {
    TABLE
}

const TABLE: &[Row] = &[
    row(Kind::Claim, Pending, &[Dispatched, Running]),
    row(Kind::Claim, Retrying, &[Dispatched, Running]),
    row(Kind::Dispatch, Pending, &[Dispatched]),
    row(Kind::Dispatch, Retrying, &[Dispatched]),
    row(Kind::Start, Dispatched, &[Running]),
    row(Kind::Complete, Running, &[Completed]),
    row(Kind::Retry, Running, &[Retrying]),
    row(Kind::Fail, Pending, &[Failed]),
    row(Kind::Fail, Dispatched, &[Failed]),
    row(Kind::Fail, Running, &[Failed]),
    row(Kind::Fail, Retrying, &[Failed]),
    row(Kind::Crash, Dispatched, &[FailedCrash]),
    row(Kind::Crash, Running, &[FailedCrash]),
    row(Kind::Abandon, Pending, &[Dispatched, FailedCrash]),
    row(Kind::Abandon, Retrying, &[Dispatched, FailedCrash]),
    row(Kind::Cancel, Pending, &[Cancelled]),
    row(Kind::Cancel, Dispatched, &[Cancelled]),
    row(Kind::Cancel, Running, &[Cancelled]),
    row(Kind::Cancel, Retrying, &[Cancelled]),
];

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Claim,
        Self::Dispatch,
        Self::Start,
        Self::Complete,
        Self::Retry,
        Self::Fail,
        Self::Crash,
        Self::Abandon,
        Self::Cancel,
    ];

    /// What this change does to a task of status `from`, if the table allows it.
    #[must_use]
    pub fn from(self, from: TaskStatus) -> Option<&'static Row> {
        table().iter().find(|row| row.kind == self && row.from == from)
    }

    /// The statuses that this change may leave.
    pub fn sources(self) -> impl Iterator<Item = TaskStatus> {
        table().iter().filter(move |row| row.kind == self).map(|row| row.from)
    }

    /// The status that this change ends in, whatever it leaves.
    #[must_use]
    pub const fn target(self) -> TaskStatus {
        match self {
            Self::Claim | Self::Start => Running,
            Self::Dispatch => Dispatched,
            Self::Complete => Completed,
            Self::Retry => Retrying,
            Self::Fail => Failed,
            Self::Crash | Self::Abandon => FailedCrash,
            Self::Cancel => Cancelled,
        }
    }
}

/// What an attempt leaves behind.
#[derive(Clone, Default, PartialEq)]
pub struct Ended {
    /// What the worker produced, also if it failed afterwards.
    pub result: String,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// What went wrong, for programs.
    pub failure: Option<FailureCode>,
    /// The task's metadata from now on; `None` leaves them as they are.
    pub metadata: Option<Metadata>,
}

/// Shows what may be shown anywhere: of the result and the metadata only how much there is.
impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended")
            .field("result_bytes", &self.result.len())
            .field("error", &self.error)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// A change of one task, to be applied by a store.
///
/// Made by named constructors, each of which takes what its change needs. A store applies it only
/// while the task still has the epoch it was made for and one of the statuses that its kind may
/// leave, so that the late report of an old owner changes nothing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Transition {
    /// The task.
    pub task: TaskId,
    /// The claim that this change belongs to.
    pub epoch: u64,
    /// The change.
    pub kind: Kind,
    /// When it happened.
    pub at: Timestamp,
    /// When the next attempt is due. Only of a retry.
    pub due: Option<Timestamp>,
    /// Why there is a next attempt. Only of a retry.
    pub reason: Option<RetryReason>,
    /// What the attempt leaves behind.
    pub ended: Ended,
}

impl Transition {
    fn new(task: &Task, kind: Kind, at: Timestamp) -> Self {
        let ended = Ended::default();
        let (task, epoch) = (task.id.clone(), task.epoch);
        Self { task, epoch, kind, at, due: None, reason: None, ended }
    }

    fn with(mut self, ended: Ended) -> Self {
        self.ended = ended;
        self
    }

    /// Takes a waiting task without starting it.
    #[must_use]
    pub fn dispatch(task: &Task, at: Timestamp) -> Self {
        Self::new(task, Kind::Dispatch, at)
    }

    /// Starts a dispatched task.
    #[must_use]
    pub fn start(task: &Task, at: Timestamp) -> Self {
        Self::new(task, Kind::Start, at)
    }

    /// Ends a running task well.
    #[must_use]
    pub fn complete(task: &Task, at: Timestamp, ended: Ended) -> Self {
        Self::new(task, Kind::Complete, at).with(ended)
    }

    /// Ends an attempt and asks for another at `due`.
    #[must_use]
    pub fn retry(
        task: &Task,
        at: Timestamp,
        due: Timestamp,
        reason: RetryReason,
        ended: Ended,
    ) -> Self {
        let retry = Self::new(task, Kind::Retry, at).with(ended);
        Self { due: Some(due), reason: Some(reason), ..retry }
    }

    /// Gives an interrupted attempt back: the next is due now and nothing is counted as a retry.
    #[must_use]
    pub fn release(task: &Task, at: Timestamp, ended: Ended) -> Self {
        Self::retry(task, at, at, RetryReason::Interrupted, ended)
    }

    /// Re-runs a task whose process died: the next attempt is due now.
    #[must_use]
    pub fn rerun(task: &Task, at: Timestamp, ended: Ended) -> Self {
        Self::retry(task, at, at, RetryReason::Crash, ended)
    }

    /// Ends a task badly.
    #[must_use]
    pub fn fail(task: &Task, at: Timestamp, ended: Ended) -> Self {
        Self::new(task, Kind::Fail, at).with(ended)
    }

    /// Ends a task whose process died or whose worker panicked.
    #[must_use]
    pub fn crash(task: &Task, at: Timestamp, ended: Ended) -> Self {
        Self::new(task, Kind::Crash, at).with(ended)
    }

    /// Ends a waiting task that only a process which has died might have claimed.
    #[must_use]
    pub fn abandon(task: &Task, at: Timestamp, ended: Ended) -> Self {
        Self::new(task, Kind::Abandon, at).with(ended)
    }

    /// Ends a task of which what is stored cannot be read.
    #[must_use]
    pub fn unreadable(task: &Unreadable, at: Timestamp) -> Self {
        let ended = Ended {
            error: Some(format!("what is stored of the task cannot be read: {}", task.why)),
            failure: Some(FailureCode::Store),
            ..Ended::default()
        };
        let (task, epoch) = (task.task.clone(), task.epoch);
        Self { task, epoch, kind: Kind::Fail, at, due: None, reason: None, ended }
    }

    /// Ends a task because its end was asked for.
    #[must_use]
    pub fn cancel(task: &Task, at: Timestamp, ended: Ended) -> Self {
        Self::new(task, Kind::Cancel, at).with(ended)
    }
}
