//! A store used a row at a time: the calls of the Go library's store, over any store.
//!
//! An engine writes many changes in one commit. A tool, a test or a program that comes from Go may
//! want to read and write single rows; each write here is a batch of one.

mod error;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use loom_deps::{Clock, Timestamp};

use crate::failure::FailureCode;
use crate::ids::TaskId;
use crate::instance::{Dead, Instance, Membership};
use crate::limits::{ERROR_BYTES_MAX, NAME_BYTES_MAX, RESULT_BYTES_MAX};
use crate::op::{Applied, Batch, Committed, Op};
use crate::query::{Order, Page, StatusCounts, TaskQuery};
use crate::redact::Redactor;
use crate::request::{NewTask, Submitted};
use crate::retry::RetryReason;
use crate::status::TaskStatus;
use crate::store::{StoreError, TaskStore};
use crate::task::Task;
use crate::text::head_and_tail;
use crate::transition::{Ended, Transition};
use crate::{InvalidRequest, Unreadable};

pub use error::CallError;

/// How often a commit of unknown outcome is sent before its caller is told.
const SENDS_MAX: u32 = 3;

/// Opens sessions on any store.
pub trait StoreCalls: TaskStore {
    /// Makes the store ready and joins it as `instance`, which is alive while the session is held.
    /// The times that the session writes are asked of `clock`.
    ///
    /// # Errors
    /// [`CallError::Invalid`] if the engine's name is empty, too long or holds a control character;
    /// [`CallError::Store`] if the store cannot be used or the instance has joined before.
    fn session(
        &self,
        instance: Instance,
        clock: Arc<dyn Clock>,
    ) -> impl Future<Output = Result<StoreSession<'_, Self>, CallError>> + Send {
        StoreSession::open(self, instance, clock)
    }
}

impl<S: TaskStore + ?Sized> StoreCalls for S {}

/// The standing of one instance in a store, and the calls that it may make.
///
/// Every call that writes is durable when it returns, and is one guarded step: it changes the whole
/// row or nothing. Dropping the future of such a call leaves the store sound, but the change may
/// have been made or not. A commit of unknown outcome is sent again under its number, which changes
/// nothing if it was made.
///
/// When the session is left or dropped, its instance is dead: tasks that it has in hand by then are
/// what [`mark_crashed`](Self::mark_crashed) and the recovery of an engine find.
///
/// There is no call that counts a retry: going to [`TaskStatus::Retrying`] does.
pub struct StoreSession<'s, S: TaskStore + ?Sized> {
    store: &'s S,
    instance: Instance,
    membership: Box<dyn Membership>,
    clock: Arc<dyn Clock>,
    redactor: Redactor,
    number: u64,
}

impl<'s, S: TaskStore + ?Sized> StoreSession<'s, S> {
    async fn open(
        store: &'s S,
        instance: Instance,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CallError> {
        check_name(&instance.engine_name)?;
        store.prepare().await?;
        let membership = store.join(&instance).await?;
        let redactor = Redactor::new();
        Ok(Self { store, instance, membership, clock, redactor, number: 0 })
    }

    /// Sets what takes secrets out of error texts, beside the values in the environment of their
    /// task. Default: the shapes of secrets.
    #[must_use]
    pub fn with_redactor(mut self, redactor: Redactor) -> Self {
        self.redactor = redactor;
        self
    }

    /// Adds a task. Whatever engine it names, that of the session is meant.
    ///
    /// # Errors
    /// [`CallError::Invalid`] if the request cannot be taken, [`CallError::Exists`] if there is a
    /// task of this id, [`CallError::Store`].
    pub async fn create(&mut self, new: NewTask) -> Result<Submitted, CallError> {
        new.request.check()?;
        let id = new.id.clone();
        let new = NewTask { engine_name: self.instance.engine_name.clone(), ..new };
        match self.commit_one(Op::Insert(Box::new(new))).await? {
            Some(Applied::Inserted { seq }) => Ok(Submitted::new(id, seq, false)),
            _ => Err(CallError::Exists(id)),
        }
    }

    /// A task of any engine, as it is now.
    ///
    /// # Errors
    /// [`CallError::NotFound`] for an unknown id, [`CallError::Store`].
    pub async fn get(&self, id: &TaskId) -> Result<Task, CallError> {
        let mut found = self.store.get(std::slice::from_ref(id)).await?;
        found.pop().ok_or_else(|| CallError::NotFound(id.clone()))
    }

    /// The tasks of a project of the session's engine that have one of `statuses`, or any if there
    /// are none: the newest 1,000, as summaries. What comes after is asked of
    /// [`TaskStore::list`], with [`TaskQuery::after`].
    ///
    /// # Errors
    /// [`CallError::Store`]. A project without tasks has an empty list.
    pub async fn list(
        &self,
        project_id: impl Into<String>,
        statuses: &[TaskStatus],
    ) -> Result<Page, CallError> {
        let query = TaskQuery::all().engine(&self.instance.engine_name).project(project_id);
        self.page(query, statuses).await
    }

    /// The tasks of all engines and projects that have one of `statuses`, or any if there are none,
    /// as [`list`](Self::list) has them.
    ///
    /// # Errors
    /// [`CallError::Store`].
    pub async fn list_all(&self, statuses: &[TaskStatus]) -> Result<Page, CallError> {
        self.page(TaskQuery::all(), statuses).await
    }

    async fn page(&self, query: TaskQuery, statuses: &[TaskStatus]) -> Result<Page, CallError> {
        let query = query.statuses(statuses.iter().copied()).limit(crate::limits::PAGE_MAX);
        Ok(self.store.list(&query).await?)
    }

    /// How many tasks of the session's engine a query asks for, by status. Whatever engine the
    /// query names, that of the session is meant.
    ///
    /// # Errors
    /// [`CallError::Store`].
    pub async fn count(&self, query: TaskQuery) -> Result<StatusCounts, CallError> {
        self.count_all(query.engine(&self.instance.engine_name)).await
    }

    /// How many tasks of any engine a query asks for, by status.
    ///
    /// # Errors
    /// [`CallError::Store`].
    pub async fn count_all(&self, query: TaskQuery) -> Result<StatusCounts, CallError> {
        Ok(self.store.count(&query).await?)
    }

    /// Takes a task of the status `from` to the status `to` and returns the status that it has
    /// then: `to`, or cancelled if the task's end had been asked for. A task that is in hand changes
    /// only by the session that has it.
    ///
    /// Going to dispatched hands the task to this instance; going to retrying counts a retry that
    /// is due now. A task that goes to failed, failed_crash or retrying gets an error text that
    /// says so, and one that goes to completed has no result: [`set_result`](Self::set_result) ends
    /// a task with words of its own.
    ///
    /// # Errors
    /// [`CallError::Forbidden`] before anything is read if no task may go from `from` to `to`;
    /// [`CallError::Stale`] if the task is not of the status `from`; [`CallError::NotYours`] if
    /// another instance has it in hand; [`CallError::NotFound`]; [`CallError::Store`]. Nothing was
    /// changed then.
    pub async fn update_status(
        &mut self,
        id: &TaskId,
        from: TaskStatus,
        to: TaskStatus,
    ) -> Result<TaskStatus, CallError> {
        allowed(from, to)?;
        let task = self.get(id).await?;
        if task.status != from {
            return Err(CallError::stale(id, from, task.status));
        }
        self.check_hands(&task)?;
        match step(&task, to, self.clock.now()) {
            Some(transition) => self.apply(&task, transition).await,
            None => Err(CallError::Forbidden { from, to }),
        }
    }

    /// Ends a task in one step: as completed with this result, or, given an error, as failed with
    /// both. Returns the status that the task has then: this one, or cancelled if the task's end
    /// had been asked for.
    ///
    /// Secrets are taken out of the error; the result is stored as it is. Of a text beyond its
    /// limit head and tail stay.
    ///
    /// # Errors
    /// [`CallError::Forbidden`] if the task may not go there: without an error it must be running,
    /// with one it must not have ended. [`CallError::NotYours`] if another instance has it in hand,
    /// [`CallError::Stale`] if it was changed meanwhile, [`CallError::NotFound`],
    /// [`CallError::Store`]. Nothing was changed then.
    pub async fn set_result(
        &mut self,
        id: &TaskId,
        result: impl Into<String>,
        error: Option<&str>,
    ) -> Result<TaskStatus, CallError> {
        let task = self.get(id).await?;
        let to = error.map_or(TaskStatus::Completed, |_| TaskStatus::Failed);
        allowed(task.status, to)?;
        self.check_hands(&task)?;
        let result = head_and_tail(result.into(), RESULT_BYTES_MAX);
        let now = self.clock.now();
        let transition = match error {
            None => Transition::complete(&task, now, Ended { result, ..Ended::default() }),
            Some(error) => {
                let error = self.redacted(&task, error);
                Transition::fail(&task, now, failed(FailureCode::WorkerError, error, result))
            }
        };
        self.apply(&task, transition).await
    }

    /// The report of somebody who has lost a task changes nothing.
    fn check_hands(&self, task: &Task) -> Result<(), CallError> {
        match &task.instance {
            Some(instance) if task.status.is_owned() && *instance != self.instance.id => {
                let (task, instance) = (task.id.clone(), instance.clone());
                Err(CallError::NotYours { task, instance })
            }
            _ => Ok(()),
        }
    }

    /// Ends what dead instances of the session's engine had in hand as failed_crash, and returns
    /// how many tasks that were. Waiting tasks stay, but for those that only a dead instance might
    /// have run. Never touches what a live instance has in hand.
    ///
    /// Commands that a dead process left running go on, and no worker type is re-run: for both it
    /// takes an engine, whose start recovers more thoroughly.
    ///
    /// # Errors
    /// [`CallError::Store`]; what was not ended is found again.
    pub async fn mark_crashed(&mut self) -> Result<u64, CallError> {
        let mut crashed = 0;
        for dead in self.membership.dead().await? {
            crashed += self.end_what_it_left(&dead).await?;
            self.membership.bury(dead).await?;
        }
        Ok(crashed)
    }

    async fn end_what_it_left(&mut self, dead: &Dead) -> Result<u64, CallError> {
        let mut crashed = 0;
        let active = TaskStatus::ALL.into_iter().filter(|status| status.is_active());
        let left = TaskQuery::all().instance(dead.instance.id.clone()).statuses(active);
        let mut left = left.order(Order::OldestFirst);
        loop {
            let page = self.store.list(&left).await?;
            let ids: Vec<TaskId> = page.tasks.into_iter().map(|task| task.id).collect();
            let tasks = self.store.get(&ids).await?;
            let ends = crashes(&tasks, &page.unreadable, dead, self.clock.now());
            let committed = self.commit(ends).await?;
            let as_crashed = committed.applied.iter().map(|applied| {
                u64::from(matches!(applied, Applied::Changed { to: TaskStatus::FailedCrash, .. }))
            });
            crashed += as_crashed.sum::<u64>();
            if page.next.is_none() {
                return Ok(crashed);
            }
            left = left.after(page.next);
        }
    }

    /// Ends the session. What its instance has in hand is found by the next recovery.
    ///
    /// # Errors
    /// [`CallError::Store`]; the instance is dead all the same.
    pub async fn leave(self) -> Result<(), CallError> {
        Ok(self.membership.leave().await?)
    }

    async fn apply(
        &mut self,
        task: &Task,
        transition: Transition,
    ) -> Result<TaskStatus, CallError> {
        if let Some(Applied::Changed { to, .. }) =
            self.commit_one(Op::Apply(Box::new(transition))).await?
        {
            return Ok(to);
        }
        let found = self.get(&task.id).await?;
        Err(CallError::stale(&task.id, task.status, found.status))
    }

    async fn commit_one(&mut self, op: Op) -> Result<Option<Applied>, CallError> {
        Ok(self.commit(vec![op]).await?.applied.pop())
    }

    async fn commit(&mut self, ops: Vec<Op>) -> Result<Committed, CallError> {
        self.number += 1;
        let batch = Batch { instance: self.instance.id.clone(), number: self.number, ops };
        for _ in 1..SENDS_MAX {
            match self.store.commit(&batch).await {
                Err(StoreError::Unknown { .. }) => {}
                answer => return Ok(answer?),
            }
        }
        Ok(self.store.commit(&batch).await?)
    }

    fn redacted(&self, task: &Task, error: &str) -> String {
        let redactor = self.redactor.clone();
        let redactor = redactor.with_env(&task.env, |name| std::env::var(name).ok());
        redactor.redact(error).into_owned()
    }
}

impl<S: TaskStore + ?Sized> fmt::Debug for StoreSession<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreSession")
            .field("instance", &self.instance)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

fn check_name(engine_name: &str) -> Result<(), InvalidRequest> {
    let fits = (1..=NAME_BYTES_MAX).contains(&engine_name.len());
    if fits && !engine_name.chars().any(char::is_control) {
        return Ok(());
    }
    let problem = format!("must have 1 to {NAME_BYTES_MAX} bytes and no control characters");
    Err(InvalidRequest::new("engine_name", problem))
}

fn allowed(from: TaskStatus, to: TaskStatus) -> Result<(), CallError> {
    if from.can_transition_to(to) { Ok(()) } else { Err(CallError::Forbidden { from, to }) }
}

/// The change that takes `task` to the status `to`. Nothing leads back to pending.
fn step(task: &Task, to: TaskStatus, at: Timestamp) -> Option<Transition> {
    let moved = |code| {
        let error = format!("moved from {} to {to} by hand", task.status);
        failed(code, error, String::new())
    };
    Some(match to {
        TaskStatus::Pending => return None,
        TaskStatus::Dispatched => Transition::dispatch(task, at),
        TaskStatus::Running => Transition::start(task, at),
        TaskStatus::Retrying => {
            let ended = moved(FailureCode::Interrupted);
            Transition::retry(task, at, at, RetryReason::Failed, ended)
        }
        TaskStatus::Completed => Transition::complete(task, at, Ended::default()),
        TaskStatus::Failed => Transition::fail(task, at, moved(FailureCode::Interrupted)),
        TaskStatus::FailedCrash => Transition::crash(task, at, moved(FailureCode::Crashed)),
        TaskStatus::Cancelled => Transition::cancel(task, at, Ended::default()),
    })
}

/// The ends of all that one dead instance left on one page.
fn crashes(tasks: &[Task], unreadable: &[Unreadable], dead: &Dead, at: Timestamp) -> Vec<Op> {
    let ends = tasks.iter().map(|task| {
        let error =
            format!("the process that had the task in hand died (pid {})", dead.instance.pid);
        let ended = failed(FailureCode::Crashed, error, String::new());
        match task.status {
            status if status.is_waiting() => Transition::abandon(task, at, ended),
            _ => Transition::crash(task, at, ended),
        }
    });
    let lost = unreadable.iter().map(|task| Transition::unreadable(task, at));
    ends.chain(lost).map(|end| Op::Apply(Box::new(end))).collect()
}

/// What is left of a task that went wrong. It always says something.
fn failed(code: FailureCode, error: String, result: String) -> Ended {
    let error = if error.trim().is_empty() { code.to_string() } else { error };
    let error = Some(head_and_tail(error, ERROR_BYTES_MAX));
    Ended { result, error, failure: Some(code), metadata: None }
}
