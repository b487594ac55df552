//! The engine, as programs use it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::try_join_all;
use futures_util::stream::FuturesUnordered;
use loom_core::limits::{self, CREATED_DELIVERY_MAX};
use loom_core::{
    Applied, Attempt, Cancel, ClaimScope, Ended, Error, FailureCode, InstanceId, InvalidRequest,
    NewTask, Order, Page, Result, StatusCounts, StoreError, Submitted, Task, TaskId, TaskQuery,
    TaskRequest, TaskStatus, TaskStore, Transition, Worker, WorkerType,
};

use crate::builder::EngineBuilder;
use crate::close::{self, WriterTask};
use crate::context::Context;
use crate::events::Events;
use crate::recovery;
use crate::registry::WorkerOptions;
use crate::request_id::current_request_id;
use crate::trace;
use crate::waiters::end_of;
use crate::writer::Receipt;

/// Takes tasks, makes them durable and runs them. Cheap to clone; clones are the same engine.
///
/// An engine belongs to the tokio runtime that it was started on. Close it before the program ends:
/// what still runs when the process ends is found by the next start and marked as crashed.
#[derive(Clone)]
pub struct Engine {
    cx: Arc<Context>,
    /// Taken by the first to close.
    writer: Arc<Mutex<Option<WriterTask>>>,
}

impl Engine {
    /// Begins to put an engine together. Engines of one name share their tasks.
    pub fn builder(name: impl Into<String>, store: impl TaskStore) -> EngineBuilder {
        EngineBuilder::new(name.into(), Box::new(store))
    }

    pub(crate) fn new(cx: Arc<Context>, writer: WriterTask) -> Self {
        Self { cx, writer: Arc::new(Mutex::new(Some(writer))) }
    }

    pub(crate) const fn cx(&self) -> &Arc<Context> {
        &self.cx
    }

    /// The engine's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.cx.name
    }

    /// Names this start of the engine.
    #[must_use]
    pub fn instance(&self) -> &InstanceId {
        &self.cx.instance
    }

    /// Adds the worker for a type of task. Tasks of the type that wait are started.
    ///
    /// # Errors
    /// [`Error::WorkerExists`] if the type has one, [`Error::WorkerMismatch`] if the worker says it
    /// is for another type, [`Error::Invalid`] if the type is empty or too long.
    pub fn register(&self, worker_type: impl Into<WorkerType>, worker: impl Worker) -> Result<()> {
        self.register_with(worker_type, worker, WorkerOptions::new())
    }

    /// Adds the worker for a type of task, and says how its tasks are treated.
    ///
    /// # Errors
    /// As [`register`](Engine::register), and [`Error::Invalid`] for options that cannot be used.
    pub fn register_with(
        &self,
        worker_type: impl Into<WorkerType>,
        worker: impl Worker,
        options: WorkerOptions,
    ) -> Result<()> {
        self.cx.registry.add(worker_type.into(), Arc::new(worker), options)?;
        self.announce();
        Ok(())
    }

    /// Sets the worker for a type of task, whether the type has one or not. Attempts under way go on
    /// with the worker that they started with.
    ///
    /// # Errors
    /// As [`register`](Engine::register), but for a type that has a worker.
    pub fn replace(&self, worker_type: impl Into<WorkerType>, worker: impl Worker) -> Result<()> {
        self.cx.registry.replace(worker_type.into(), Arc::new(worker), WorkerOptions::new())?;
        self.announce();
        Ok(())
    }

    /// Tells the other engines of this name what this one can do, and looks for such tasks.
    fn announce(&self) {
        if self.cx.settings.submit_only {
            return;
        }
        let cx = Arc::clone(&self.cx);
        self.cx.runtime.spawn(async move {
            // After the end of the engine there is nobody to tell.
            if let Ok(membership) = cx.membership().await
                && let Err(error) = membership.announce(&cx.registry.types()).await
            {
                cx.recorder.trouble("other engines do not know of a new worker", &error);
            }
            cx.dispatch.wake();
        });
    }

    /// Stores a task. Once this returns, the task survives whatever the process may suffer; it runs
    /// in the background as soon as there is a slot.
    ///
    /// If its type has no worker, here or in another live engine of this name, the task ends as
    /// failed; but it waits if no type has one yet, or if the engine only submits.
    ///
    /// Cancel safety: if the future is dropped, the task may be stored or not.
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::Invalid`], [`Error::NoWorker`] and [`Error::Store`] leave no task
    /// behind; [`Error::Unconfirmed`] may, and names it.
    pub async fn submit(&self, mut request: TaskRequest) -> Result<Submitted> {
        let cx = &self.cx;
        // Before it is counted: a callback that does not return must not hold up the engine's end.
        cx.recorder.bus.room().await;
        let submitting = cx.closing.submit()?;
        request.request_id = request.request_id.or_else(current_request_id);
        request.trace_context = request.trace_context.or_else(trace::current);
        request.check()?;
        let begun = cx.now();
        let homeless = self.is_homeless(&request.worker_type).await?;
        if homeless && cx.settings.refuse_unknown_types {
            return Err(Error::NoWorker(request.worker_type));
        }
        let id = TaskId::new(cx.ids.next_id(begun))
            .map_err(|error| InvalidRequest::new("id", error.to_string()))?;
        let new = NewTask {
            id: id.clone(),
            engine_name: cx.name.clone(),
            request,
            created_at: begun,
            pinned_to: self.pinned_to(),
            daemon_id: cx.settings.daemon_id.clone(),
        };
        let labels = (new.request.worker_type.clone(), new.request.project_id.clone());
        let stored = match homeless {
            true => self.insert_failed(new).await,
            false => cx.writer.insert(new).await,
        };
        let receipt = stored.map_err(|error| unstored(&id, error))?;
        cx.recorder.submitted_in(cx.now().since(begun), &labels.0, &labels.1);
        drop(submitting);
        self.told(receipt.sequence).await;
        submitted(id, &receipt)
    }

    fn pinned_to(&self) -> Option<InstanceId> {
        let pinned = self.cx.settings.scope == ClaimScope::Pinned;
        pinned.then(|| self.cx.instance.clone())
    }

    /// Whether there are workers, but none for this type.
    async fn is_homeless(&self, worker_type: &WorkerType) -> Result<bool> {
        let cx = &self.cx;
        let cannot_tell = cx.settings.submit_only || cx.registry.is_empty();
        if cx.registry.has(worker_type) || cannot_tell {
            return Ok(false);
        }
        Ok(!cx.membership().await?.elsewhere(worker_type).await?)
    }

    /// Stores a task that nobody can run, and its end with it.
    async fn insert_failed(&self, new: NewTask) -> Result<Receipt, StoreError> {
        let task = Arc::new(new.clone().into_task(0));
        let ended = Ended {
            error: Some(format!("no worker for {:?}", task.worker_type)),
            failure: Some(FailureCode::NoWorker),
            ..Ended::default()
        };
        let transition = Transition::fail(&task, new.created_at, ended);
        self.cx.writer.insert_changed(new, task, transition).await
    }

    /// Waits until the callbacks have been called with what has happened so far, within reason.
    async fn told(&self, sequence: u64) {
        let bus = &self.cx.recorder.bus;
        if self.cx.within(CREATED_DELIVERY_MAX, bus.delivered(sequence)).await.is_none() {
            bus.stuck(CREATED_DELIVERY_MAX);
        }
    }

    /// Waits for the end of a task, wherever it runs, and returns it as it then is.
    ///
    /// Dropping the future stops the waiting, never the task.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown id, [`Error::Closed`] if the engine closes before the
    /// task's end, [`Error::Store`] if the store cannot be read.
    pub async fn wait(&self, id: impl AsRef<str>) -> Result<Task> {
        end_of(&self.cx, &parse(id.as_ref())?, || {}).await
    }

    /// Waits for the end of a task, at most for `wait`.
    ///
    /// # Errors
    /// As [`wait`](Engine::wait), and [`Error::WaitTimeout`]; the task goes on then.
    pub async fn wait_timeout(&self, id: impl AsRef<str>, wait: Duration) -> Result<Task> {
        let id = parse(id.as_ref())?;
        let ended = self.cx.within(wait, self.wait(&id)).await;
        ended.unwrap_or(Err(Error::WaitTimeout(id)))
    }

    /// Waits for the end of all these tasks and returns them, in the order asked for.
    ///
    /// # Errors
    /// As [`wait`](Engine::wait).
    pub async fn wait_all(
        &self,
        ids: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Vec<Task>> {
        try_join_all(ids.into_iter().map(|id| self.wait(id))).await
    }

    /// Waits for the first of these tasks to end and returns it. Without tasks it waits for ever.
    ///
    /// # Errors
    /// As [`wait`](Engine::wait).
    pub async fn wait_any(&self, ids: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Task> {
        let mut waits: FuturesUnordered<_> = ids.into_iter().map(|id| self.wait(id)).collect();
        match waits.next().await {
            Some(ended) => ended,
            None => std::future::pending().await,
        }
    }

    /// A task of any engine, as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown id, [`Error::Store`] if the store cannot be read.
    pub async fn get(&self, id: impl AsRef<str>) -> Result<Task> {
        self.cx.task(&parse(id.as_ref())?).await
    }

    /// The attempts at a task, in order: up to 100 that were repeated, then the latest.
    ///
    /// # Errors
    /// [`Error::Store`] if the store cannot be read. A task that is unknown has no attempts.
    pub async fn attempts(&self, id: impl AsRef<str>) -> Result<Vec<Attempt>> {
        Ok(self.cx.store.attempts(&parse(id.as_ref())?).await?)
    }

    /// A page of this engine's tasks. Whatever engine the query names, this one is meant.
    ///
    /// # Errors
    /// [`Error::Store`] if the store cannot be read.
    pub async fn list(&self, query: TaskQuery) -> Result<Page> {
        self.list_all(query.engine(self.name())).await
    }

    /// A page of the tasks of any engine.
    ///
    /// # Errors
    /// [`Error::Store`] if the store cannot be read.
    pub async fn list_all(&self, query: TaskQuery) -> Result<Page> {
        Ok(self.cx.store.list(&query).await?)
    }

    /// How many tasks of this engine a query asks for, by status.
    ///
    /// # Errors
    /// [`Error::Store`] if the store cannot be read.
    pub async fn count(&self, query: TaskQuery) -> Result<StatusCounts> {
        self.count_all(query.engine(self.name())).await
    }

    /// How many tasks of any engine a query asks for, by status.
    ///
    /// # Errors
    /// [`Error::Store`] if the store cannot be read.
    pub async fn count_all(&self, query: TaskQuery) -> Result<StatusCounts> {
        Ok(self.cx.store.count(&query).await?)
    }

    /// Asks for the end of a task. Returns once that is recorded: a task that waits has then ended;
    /// one that runs is told to stop and will end as cancelled, whatever its worker returns.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown id, [`Error::AlreadyEnded`], [`Error::Store`].
    pub async fn cancel(&self, id: impl AsRef<str>) -> Result<()> {
        let task = parse(id.as_ref())?;
        let cancel = Cancel { task: task.clone(), at: self.cx.now() };
        let receipt = self.cx.writer.cancel(cancel).await.map_err(Error::Store)?;
        match receipt.applied {
            Applied::NotFound => Err(Error::NotFound(task)),
            Applied::Ended(status) => Err(Error::AlreadyEnded { task, status }),
            _ => Ok(()),
        }
    }

    /// Asks for the end of a task and waits for it. An attempt that does not return after it was
    /// told to stop is dropped after a grace.
    ///
    /// # Errors
    /// As [`cancel`](Engine::cancel) and [`wait`](Engine::wait).
    pub async fn cancel_and_wait(&self, id: impl AsRef<str>) -> Result<Task> {
        self.cancel(id.as_ref()).await?;
        self.wait(id).await
    }

    /// Asks for the end of every running task of a project of this engine, and returns how many were
    /// told to stop. A project without running tasks has none.
    ///
    /// # Errors
    /// [`Error::Store`]; some may have been told then.
    pub async fn cancel_all_for_project(&self, project_id: impl Into<String>) -> Result<u64> {
        let running = [TaskStatus::Dispatched, TaskStatus::Running];
        self.cancel_listed(TaskQuery::all().project(project_id).statuses(running)).await
    }

    /// Asks for the end of every task of this engine that a query asks for and that has not ended,
    /// whatever its limit, and returns how many were cancelled or told to stop.
    ///
    /// # Errors
    /// [`Error::Store`]; some may have been cancelled then.
    pub async fn cancel_matching(&self, query: TaskQuery) -> Result<u64> {
        let active = |status: &TaskStatus| status.is_active();
        let asked = query.statuses.clone();
        let statuses = TaskStatus::ALL.into_iter().filter(active);
        let statuses = statuses.filter(|status| asked.is_empty() || asked.contains(status));
        let statuses: Vec<TaskStatus> = statuses.collect();
        // A query for ended tasks alone asks for nothing that could be cancelled.
        if statuses.is_empty() { Ok(0) } else { self.cancel_listed(query.statuses(statuses)).await }
    }

    async fn cancel_listed(&self, query: TaskQuery) -> Result<u64> {
        let mut cancelled = 0;
        let mut query = query.order(Order::OldestFirst).limit(limits::PAGE_MAX);
        loop {
            let page = self.list(query.clone()).await?;
            let ids = page.tasks.into_iter().map(|task| task.id);
            let mut cancels: FuturesUnordered<_> = ids.map(|id| self.cancel(id)).collect();
            while let Some(told) = cancels.next().await {
                match told {
                    Ok(()) => cancelled += 1,
                    // It ended, or was removed, while others were being cancelled.
                    Err(Error::AlreadyEnded { .. } | Error::NotFound(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            if page.next.is_none() {
                return Ok(cancelled);
            }
            query = query.after(page.next);
        }
    }

    /// The events of this engine.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(Arc::clone(&self.cx.recorder.bus))
    }

    /// Takes care of the tasks of dead processes of this engine's name, as every start does, and
    /// returns how many ended as failed_crash. Never touches what a live process has in hand.
    ///
    /// # Errors
    /// [`Error::Store`]; what was not taken care of is found again.
    pub async fn recover_crashed(&self) -> Result<u64> {
        recovery::recover(&self.cx).await
    }

    /// Ends the engine: takes no more tasks, lets running attempts finish, then leaves the store.
    /// After `Ok` nothing is written. Tasks that wait stay for the next start. Every caller waits
    /// for the same end, which comes about even if nobody waits.
    ///
    /// # Errors
    /// None at present; how the end went is logged.
    pub async fn close(&self) -> Result<()> {
        self.begin_close();
        self.cx.closing.left().await;
        Ok(())
    }

    /// Ends the engine, but waits at most for `wait`.
    ///
    /// # Errors
    /// [`Error::StillRunning`] names the attempts that have not ended; the end comes about all the
    /// same, and can be waited for again.
    pub async fn close_within(&self, wait: Duration) -> Result<()> {
        self.begin_close();
        close::ended_within(&self.cx, wait).await
    }

    /// Ends the engine: lets running attempts finish for `grace`, then tells them to stop. Those
    /// that may be run again are given back; the others end as failed, with the code `interrupted`.
    ///
    /// # Errors
    /// As [`close`](Engine::close).
    pub async fn shutdown(&self, grace: Duration) -> Result<()> {
        self.begin_close();
        close::stop_attempts(&self.cx, grace).await;
        self.close().await
    }

    fn begin_close(&self) {
        let writer = || self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        close::begin(&self.cx, writer);
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("name", &self.cx.name)
            .field("instance", &self.cx.instance)
            .finish_non_exhaustive()
    }
}

/// An id that cannot be one names no task; but it cannot be repeated in an error either.
pub(crate) fn parse(id: &str) -> Result<TaskId> {
    TaskId::new(id).map_err(|error| InvalidRequest::new("id", error.to_string()).into())
}

pub(crate) fn unstored(id: &TaskId, error: StoreError) -> Error {
    match error {
        StoreError::Unknown { .. } => Error::Unconfirmed { task: id.clone(), source: error },
        StoreError::Closed => Error::Closed,
        other => Error::Store(other),
    }
}

pub(crate) fn submitted(id: TaskId, receipt: &Receipt) -> Result<Submitted> {
    match receipt.applied {
        Applied::Inserted { seq } => Ok(Submitted::new(id, seq, false)),
        Applied::Duplicate { seq } => Ok(Submitted::new(id, seq, true)),
        _ => Err(Error::NotFound(id)),
    }
}
