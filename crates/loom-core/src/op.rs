//! What a store is asked to do, in one atomic step, and what it answers.

use std::sync::Arc;

use loom_deps::Timestamp;

use crate::hold::{Held, Hold};
use crate::ids::{Account, InstanceId, TaskId, WorkerType};
use crate::import::Imported;
use crate::limits::PROGRESS_LINE_BYTES_MAX;
use crate::request::NewTask;
use crate::status::TaskStatus;
use crate::task::{Task, TaskSummary};
use crate::text::first_bytes;
use crate::transition::Transition;

/// One operation of a [`Batch`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// Adds a task.
    Insert(Box<NewTask>),
    /// Adds a task that another system had, as it was there. Never overwrites one.
    Import(Box<Imported>),
    /// Reports the progress of an attempt.
    Progress(ProgressReport),
    /// Changes a task.
    Apply(Box<Transition>),
    /// Asks for a task's end.
    Cancel(Cancel),
    /// Removes tasks that have ended.
    Prune(Prune),
    /// Holds an account back, or releases it.
    Hold(Hold),
    /// Takes due tasks and starts them.
    Claim(Claim),
}

impl Op {
    /// What a store must be capable of for this operation, if it is not one that every store has.
    #[must_use]
    pub const fn requires(&self) -> Option<Capability> {
        match self {
            Self::Import(_) => Some(Capability::Import),
            Self::Prune(_) => Some(Capability::Prune),
            Self::Hold(_) => Some(Capability::Hold),
            Self::Insert(_)
            | Self::Progress(_)
            | Self::Apply(_)
            | Self::Cancel(_)
            | Self::Claim(_) => None,
        }
    }
}

/// What a store may be able to do beyond what every store must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// [`Op::Import`].
    Import,
    /// [`Op::Prune`].
    Prune,
    /// [`Op::Hold`], and claims that heed it.
    Hold,
    /// The tasks outlive the store value: opened again on the same place, they are there.
    Reopen,
}

/// Lines that an attempt has reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressReport {
    /// The task.
    pub task: TaskId,
    /// The claim under which the attempt runs.
    pub epoch: u64,
    /// The last line that was not blank, cut to its limit; empty keeps the one before.
    pub line: String,
    /// How many lines have come since the last report.
    pub lines: u64,
    /// When the last one came.
    pub at: Timestamp,
}

impl ProgressReport {
    /// The report that `text` makes of the attempt that runs of `task`.
    #[must_use]
    pub fn of(task: &Task, text: &str, at: Timestamp) -> Self {
        let (line, lines) = Self::condense(text);
        let line = line.unwrap_or_default();
        Self { task: task.id.clone(), epoch: task.epoch, line, lines, at }
    }

    /// What is kept of `text`: its last line that is not blank, cut to 100 bytes, and the number of
    /// its lines, which is never 0.
    ///
    /// ```
    /// use loom_core::ProgressReport;
    ///
    /// assert_eq!(ProgressReport::condense("one\ntwo\n \n"), (Some("two".into()), 3));
    /// assert_eq!(ProgressReport::condense(" "), (None, 1));
    /// ```
    #[must_use]
    pub fn condense(text: &str) -> (Option<String>, u64) {
        let lines = u64::try_from(text.lines().count().max(1)).unwrap_or(u64::MAX);
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        (last.map(|line| first_bytes(line, PROGRESS_LINE_BYTES_MAX).to_owned()), lines)
    }
}

/// Asks for the end of a task, whoever has it in hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// The task.
    pub task: TaskId,
    /// When it was asked for.
    pub at: Timestamp,
}

/// Removes tasks that ended before a moment, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prune {
    /// Only of this engine; `None`: of all.
    pub engine_name: Option<String>,
    /// Only what ended before this.
    pub completed_before: Timestamp,
    /// At most so many.
    pub limit: u32,
}

/// Which waiting tasks an instance may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClaimScope {
    /// Those of its engine, and those pinned to the instance.
    Shared,
    /// Only those pinned to the instance.
    Pinned,
}

/// A worker type that an instance has a worker for, and how many of its tasks it can take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The worker type.
    pub worker_type: WorkerType,
    /// At most so many.
    pub limit: u32,
    /// Who its tasks may be charged to. While all of them are held, the lane is left out.
    pub accounts: Arc<[Account]>,
}

impl Lane {
    /// A lane whose tasks are charged to nobody.
    pub fn new(worker_type: impl Into<WorkerType>, limit: u32) -> Self {
        Self { worker_type: worker_type.into(), limit, accounts: Arc::default() }
    }

    /// Says who the tasks may be charged to.
    #[must_use]
    pub fn charged_to(mut self, accounts: impl IntoIterator<Item = impl Into<Account>>) -> Self {
        self.accounts = accounts.into_iter().map(Into::into).collect();
        self
    }

    /// Until when the lane is left out while these accounts are held: the first of its own to be free
    /// opens it. `None` if one of its own is free now, or if it has none.
    ///
    /// ```
    /// use loom_core::{Held, Lane};
    /// # use loom_deps::Timestamp;
    /// # let at = Timestamp::from_micros;
    /// let held = [
    ///     Held { account: "anthropic".into(), until: at(9) },
    ///     Held { account: "openai".into(), until: at(5) },
    /// ];
    /// let lane = |accounts: &[&str]| Lane::new("cli", 1).charged_to(accounts.iter().copied());
    /// assert_eq!(lane(&["anthropic"]).held_until(&held), Some(at(9)));
    /// assert_eq!(lane(&["anthropic", "openai"]).held_until(&held), Some(at(5)));
    /// assert_eq!(lane(&["anthropic", "google"]).held_until(&held), None);
    /// assert_eq!(lane(&[]).held_until(&held), None);
    /// ```
    #[must_use]
    pub fn held_until(&self, held: &[Held]) -> Option<Timestamp> {
        let until = |account: &Account| {
            let held = held.iter().find(|held| held.account == *account);
            held.map(|held| held.until)
        };
        // Where one is free, that comes before every moment.
        self.accounts.iter().map(until).min().flatten()
    }
}

/// Takes due tasks, the longest due first, and starts them. Those of a lane whose accounts are all
/// held count as due when the first of them is free.
///
/// Comes last in its batch. A limit of zero takes nothing, but the answer still tells of cancels
/// and of the next due time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The engine whose tasks are taken.
    pub engine_name: String,
    /// Which of them.
    pub scope: ClaimScope,
    /// Only of these worker types.
    pub lanes: Vec<Lane>,
    /// At most so many in all.
    pub limit: u32,
    /// The present: what is due later stays.
    pub now: Timestamp,
}

/// Operations to be done as one atomic, durable step.
///
/// Their effects come in this order: holds and releases; then inserts, imports and progress; then
/// ends and cancels in the order in which they stand; then pruning; the claim last. At most one
/// claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Who asks. Must have joined the store.
    pub instance: InstanceId,
    /// Grows by at least one with each batch of the instance. Sending a number again does nothing
    /// and answers as before, so that a commit of unknown outcome can be repeated.
    pub number: u64,
    /// What to do.
    pub ops: Vec<Op>,
}

/// The answer to one operation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Applied {
    /// The task is there, under this number.
    Inserted {
        /// A small number for people.
        seq: i64,
    },
    /// A task of this id was there before; nothing was changed.
    Duplicate {
        /// Its number.
        seq: i64,
    },
    /// The task went to the status `to`. This is `Cancelled` where its end had been asked for
    /// before the change was made.
    Changed {
        /// The status it left.
        from: TaskStatus,
        /// The status it has now.
        to: TaskStatus,
    },
    /// The guard did not hold: another owner, or a status that the change cannot leave.
    Stale,
    /// The task, which waited, is cancelled. As it is now.
    Cancelled(Box<TaskSummary>),
    /// The cancel is recorded; the instance that has the task in hand will end it.
    CancelRequested,
    /// There is nothing to cancel: the task has ended.
    Ended(TaskStatus),
    /// No task of this id.
    NotFound,
    /// The progress is recorded.
    Reported,
    /// These tasks were removed, in the order of their ids.
    Pruned(Vec<TaskId>),
    /// Until when the account is held now; `None` if it is free.
    Held(Option<Timestamp>),
    /// The claim was made; what it took stands in [`Committed::claimed`].
    Claimed,
}

/// A task that was claimed but cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The task.
    pub task: TaskId,
    /// Its number.
    pub seq: i64,
    /// The claim it is under now.
    pub epoch: u64,
    /// What cannot be read.
    pub why: String,
}

/// The answer to a [`Batch`] that has been committed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Committed {
    /// An answer to each operation, in their order.
    pub applied: Vec<Applied>,
    /// The tasks that the claim took and started, as they are now, the longest due first.
    pub claimed: Vec<Task>,
    /// Tasks that the claim took and that cannot be read. They are running and want an end.
    pub unreadable: Vec<Unreadable>,
    /// Tasks in the hands of this instance whose end has been asked for, with their epochs.
    /// Only if the batch held a claim.
    pub cancels: Vec<(TaskId, u64)>,
    /// When the next task that the claim might have taken falls due, after the claim's present.
    /// What was due already and was left waits for room, which only an end can make. Only if the
    /// batch held a claim.
    pub next_due: Option<Timestamp>,
    /// Which accounts of the claim's lanes are held. What was claimed may be charged to one of them,
    /// if its lane has others that are free. Only if the batch held a claim.
    pub held: Vec<Held>,
}
