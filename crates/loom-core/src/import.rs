//! A task that another system had, to be kept as it was there.

use loom_deps::Timestamp;

use crate::ids::{TaskId, WorkerType};
use crate::redact::Redactor;
use crate::request::NewTask;
use crate::status::TaskStatus;
use crate::task::{Metadata, Progress, Task};
use crate::transition::Ended;

/// A task as it was elsewhere: waiting, or ended. It is never in anybody's hands, since nobody here
/// runs it.
///
/// What it holds is kept, however long it is: the limits of requests are for new ones. An error is
/// kept with any status, for another system may have had one there. The engine name may be empty:
/// then no engine claims the task, and only lists of all engines show it.
///
/// ```
/// use loom_core::{Ended, Imported, NewTask, TaskId, TaskRequest, TaskStatus};
/// # let at = loom_deps::Timestamp::from_micros(0);
///
/// let new = NewTask {
///     id: TaskId::new("t-1")?,
///     engine_name: "website".into(),
///     request: TaskRequest::new("cli", "fix the failing tests"),
///     created_at: at,
///     pinned_to: None,
///     daemon_id: None,
/// };
/// let ended = Ended { result: "fixed".into(), ..Ended::default() };
/// let task = Imported::completed(new, at, ended).counted(1, 0);
/// assert_eq!(task.status(), TaskStatus::Completed);
/// # Ok::<(), loom_core::InvalidId>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Imported(Task);

impl Imported {
    /// A task that waits for its first attempt.
    #[must_use]
    pub fn pending(new: NewTask) -> Self {
        let mut task = new.into_task(0);
        task.pinned_to = None;
        Self(task)
    }

    /// A task that waits for its next attempt, which is due at `due`.
    #[must_use]
    pub fn retrying(new: NewTask, due: Timestamp) -> Self {
        let mut imported = Self::pending(new);
        imported.0.status = TaskStatus::Retrying;
        imported.0.run_at = Some(due);
        imported
    }

    /// A task that ended well, at `at`.
    #[must_use]
    pub fn completed(new: NewTask, at: Timestamp, ended: Ended) -> Self {
        Self::ended(new, TaskStatus::Completed, at, ended)
    }

    /// A task that ended badly.
    #[must_use]
    pub fn failed(new: NewTask, at: Timestamp, ended: Ended) -> Self {
        Self::ended(new, TaskStatus::Failed, at, ended)
    }

    /// A task whose process died, or that nobody has in hand any more.
    #[must_use]
    pub fn crashed(new: NewTask, at: Timestamp, ended: Ended) -> Self {
        Self::ended(new, TaskStatus::FailedCrash, at, ended)
    }

    /// A task that ended because somebody asked for it.
    #[must_use]
    pub fn cancelled(new: NewTask, at: Timestamp, ended: Ended) -> Self {
        Self::ended(new, TaskStatus::Cancelled, at, ended)
    }

    fn ended(new: NewTask, status: TaskStatus, at: Timestamp, ended: Ended) -> Self {
        let mut imported = Self::pending(new);
        imported.0.status = status;
        imported.0.run_at = None;
        imported.0.completed_at = Some(at);
        imported.left(ended)
    }

    /// What its latest attempt has left. A task that waits may have something of it, too.
    #[must_use]
    pub fn left(mut self, ended: Ended) -> Self {
        self.0.result = ended.result;
        self.0.error = ended.error;
        self.0.failure = ended.failure;
        if let Some(metadata) = ended.metadata {
            self.0.metadata = metadata;
        }
        self
    }

    /// How many attempts were started, and how many of them failed and were repeated. Default: 0.
    #[must_use]
    pub const fn counted(mut self, attempt: u32, retries: u32) -> Self {
        self.0.attempt = attempt;
        self.0.retries = retries;
        self
    }

    /// When it was first handed to somebody. Default: never.
    #[must_use]
    pub const fn dispatched_at(mut self, at: Option<Timestamp>) -> Self {
        self.0.dispatched_at = at;
        self
    }

    /// What it had reported. Default: nothing.
    #[must_use]
    pub fn progress(mut self, progress: Progress) -> Self {
        self.0.progress = progress;
        self
    }

    /// What the other system kept of it and loom has no field for. Default: nothing.
    #[must_use]
    pub fn origin(mut self, origin: Metadata) -> Self {
        self.0.origin = origin;
        self
    }

    /// Takes secrets out of its error.
    #[must_use]
    pub fn redacted(mut self, redactor: &Redactor) -> Self {
        self.0.error = self.0.error.map(|error| redactor.redact(&error).into_owned());
        self
    }

    /// The name of the task.
    #[must_use]
    pub const fn id(&self) -> &TaskId {
        &self.0.id
    }

    /// The kind of work.
    #[must_use]
    pub const fn worker_type(&self) -> &WorkerType {
        &self.0.worker_type
    }

    /// Where it stands.
    #[must_use]
    pub const fn status(&self) -> TaskStatus {
        self.0.status
    }

    /// All that is known of it. It has no number yet.
    #[must_use]
    pub const fn as_task(&self) -> &Task {
        &self.0
    }

    /// The task that this becomes under the number `seq`.
    #[must_use]
    pub fn into_task(mut self, seq: i64) -> Task {
        self.0.seq = seq;
        self.0
    }
}
