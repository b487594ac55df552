//! Putting an engine together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use loom_core::limits::{CANCEL_GRACE, NAME_BYTES_MAX, RUNNING_MAX};
use loom_core::{
    ClaimScope, Env, Error, Instance, InstanceId, InvalidRequest, QualityGate, Reaper, Redactor,
    Result, RetryPolicy, TaskStore, Worker, WorkerType,
};
use loom_deps::{
    Clock, IdGen, Logger, Rng, SystemClock, SystemTimer, Timer, TracingLogger, UuidIds,
};
use opentelemetry::global::BoxedTracer;
use opentelemetry::metrics::Meter;
use tokio::runtime::Handle;
use tokio::sync::RwLock;

use crate::close::Closing;
use crate::context::{Context, Settings};
use crate::dispatch::{self, Dispatch};
use crate::engine::Engine;
use crate::queued;
use crate::record::Recorder;
use crate::recovery;
use crate::registry::{Registry, WorkerOptions};
use crate::waiters::Waiters;
use crate::writer::{Inbox, Writer};

/// Puts an engine together; [`start`](EngineBuilder::start) checks it and sets it going.
///
/// ```no_run
/// # async fn start(store: impl loom_core::TaskStore) -> loom_core::Result<()> {
/// use loom_core::{Task, worker_fn};
/// use loom_engine::Engine;
///
/// let engine = Engine::builder("website", store)
///     .worker("greet", worker_fn(async |_, task: Task| Ok(format!("hello {}", task.prompt))))
///     .max_running(8)
///     .start()
///     .await?;
/// # engine.close().await }
/// ```
#[must_use = "an engine works only once it is started"]
pub struct EngineBuilder {
    name: String,
    store: Box<dyn TaskStore>,
    workers: Vec<(WorkerType, Arc<dyn Worker>, WorkerOptions)>,
    reaper: Option<Box<dyn Reaper>>,
    max_running: usize,
    settings: Settings,
    clock: Arc<dyn Clock>,
    timer: Option<Arc<dyn Timer>>,
    ids: Arc<dyn IdGen>,
    rng: Rng,
    logger: Arc<dyn Logger>,
    meter: Option<Meter>,
    metrics_project_id: bool,
    tracer: Option<BoxedTracer>,
}

impl EngineBuilder {
    pub(crate) fn new(name: String, store: Box<dyn TaskStore>) -> Self {
        Self {
            name,
            store,
            workers: Vec::new(),
            reaper: None,
            max_running: RUNNING_MAX,
            settings: Settings {
                gate: QualityGate::default(),
                redactor: own_secrets(),
                retry: RetryPolicy::default(),
                cancel_grace: CANCEL_GRACE,
                scope: ClaimScope::Shared,
                submit_only: false,
                refuse_unknown_types: false,
                daemon_id: None,
            },
            clock: Arc::new(SystemClock::new()),
            timer: None,
            ids: Arc::new(UuidIds::new()),
            rng: Rng::random(),
            logger: Arc::new(TracingLogger),
            meter: None,
            metrics_project_id: true,
            tracer: None,
        }
    }

    /// Adds the worker for a type, as [`Engine::register`] does; but known from the start, so that
    /// it can take care of what a process that died has left.
    pub fn worker(self, worker_type: impl Into<WorkerType>, worker: impl Worker) -> Self {
        self.worker_with(worker_type, worker, WorkerOptions::new())
    }

    /// Adds the worker for a type, and says how its tasks are treated.
    pub fn worker_with(
        mut self,
        worker_type: impl Into<WorkerType>,
        worker: impl Worker,
        options: WorkerOptions,
    ) -> Self {
        self.workers.push((worker_type.into(), Arc::new(worker), options));
        self
    }

    /// Sets who ends what dead processes left running of tasks whose type has no worker yet.
    /// Default: nobody.
    pub fn reaper(mut self, reaper: impl Reaper) -> Self {
        self.reaper = Some(Box::new(reaper));
        self
    }

    /// Sets how many attempts may run at once; more tasks wait as pending in the store. At least 1.
    /// Default 1,024.
    pub const fn max_running(mut self, max_running: usize) -> Self {
        self.max_running = max_running;
        self
    }

    /// Sets how results are judged whose worker has no gate of its own. Default: empty output, rate
    /// limit, thrashing.
    pub fn gate(mut self, gate: QualityGate) -> Self {
        self.settings.gate = gate;
        self
    }

    /// Sets what is kept out of errors, progress and logs, beside the secrets in a task's own
    /// environment. Default: what looks like a secret, and the values of this process's variables
    /// whose names say that they are secret.
    pub fn redactor(mut self, redactor: Redactor) -> Self {
        self.settings.redactor = redactor;
        self
    }

    /// Sets how often and how patiently failed attempts are repeated. Default: twice, after 1 s
    /// doubling to 5 min, with full jitter.
    pub const fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = policy;
        self
    }

    /// Sets how many retries follow a first attempt, unless the request says. Default 2.
    pub const fn max_retries(mut self, max_retries: u32) -> Self {
        self.settings.retry.max_retries = max_retries;
        self
    }

    /// Sets how long an attempt may take to return after it was told to stop; then it is dropped.
    /// Default 10 s.
    pub const fn cancel_grace(mut self, grace: Duration) -> Self {
        self.settings.cancel_grace = grace;
        self
    }

    /// Runs only tasks that were submitted to this very engine, and lets no other run those. Such a
    /// task does not outlive the engine's process: what has not ended then ends as failed_crash.
    /// Default: all engines of one name share their tasks.
    pub const fn own_tasks_only(mut self) -> Self {
        self.settings.scope = ClaimScope::Pinned;
        self
    }

    /// Only takes tasks, for other engines of its name to run. Default: runs them too.
    pub const fn submit_only(mut self) -> Self {
        self.settings.submit_only = true;
        self
    }

    /// Refuses tasks of a type that has no worker. Default: they are stored and end as failed.
    pub const fn refuse_unknown_types(mut self) -> Self {
        self.settings.refuse_unknown_types = true;
        self
    }

    /// Sets the identity that the program gives itself, which every task that it submits keeps as
    /// [`Task::daemon_id`](loom_core::Task::daemon_id). 1 to 256 bytes. Default: none.
    pub fn daemon_id(mut self, daemon_id: impl Into<String>) -> Self {
        self.settings.daemon_id = Some(daemon_id.into());
        self
    }

    /// Sets who tells the time and who waits for it. Default: the system.
    pub fn time(mut self, clock: Arc<dyn Clock>, timer: Arc<dyn Timer>) -> Self {
        self.clock = clock;
        self.timer = Some(timer);
        self
    }

    /// Sets who names tasks and instances. Default: UUIDs of version 7.
    pub fn ids(mut self, ids: Arc<dyn IdGen>) -> Self {
        self.ids = ids;
        self
    }

    /// Sets where chance comes from. Default: a seed of its own.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self
    }

    /// Sets where log records go. Default: to the program's `tracing` subscriber.
    pub fn logger(mut self, logger: Arc<dyn Logger>) -> Self {
        self.logger = logger;
        self
    }

    /// Sets where metrics go. Default: `loom` of the program's meter provider. A program that sets
    /// none before it starts the engine has no metrics, and pays for none.
    pub fn meter(mut self, meter: Meter) -> Self {
        self.meter = Some(meter);
        self
    }

    /// Sets whether metrics have the attribute `project_id`. There are as many series as there are
    /// projects then, so switch it off if there are many. Default true.
    pub const fn metrics_project_id(mut self, on: bool) -> Self {
        self.metrics_project_id = on;
        self
    }

    /// Sets where the spans of attempts go. Default: `loom` of the program's tracer provider, which
    /// does nothing unless one was set.
    pub fn tracer(mut self, tracer: BoxedTracer) -> Self {
        self.tracer = Some(tracer);
        self
    }

    /// Checks the settings, makes the store ready, joins it, takes care of what dead processes have
    /// left, and sets the engine going. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Build`] for a setting that cannot be used, [`Error::WorkerMismatch`] and
    /// [`Error::WorkerExists`] for workers, [`Error::Store`] for a store that cannot be used.
    pub async fn start(mut self) -> Result<Engine> {
        self.check()?;
        self.store.prepare().await?;
        let started_at = self.clock.now();
        let id = InstanceId::new(self.ids.next_id(started_at))
            .map_err(|error| invalid("ids", error.to_string()))?;
        let instance = Instance::new(id, self.name.clone(), started_at);
        let registry = Registry::default();
        for (worker_type, worker, options) in std::mem::take(&mut self.workers) {
            registry.add(worker_type, worker, options)?;
        }
        let membership = self.store.join(&instance).await?;
        if !self.settings.submit_only {
            membership.announce(&registry.types()).await?;
        }
        let (writer, inbox) = Writer::new();
        let cx = Arc::new(self.into_context(instance.id, registry, membership, writer));
        set_going(cx, inbox).await
    }

    fn check(&self) -> Result<()> {
        check_name("engine_name", &self.name)?;
        if let Some(daemon_id) = &self.settings.daemon_id {
            check_name("daemon_id", daemon_id)?;
        }
        if self.max_running == 0 {
            let hint = "with none, no task would ever run; use `submit_only` if that is meant";
            return Err(invalid("max_running", hint));
        }
        Ok(())
    }

    fn into_context(
        self,
        instance: InstanceId,
        registry: Registry,
        membership: Box<dyn loom_core::Membership>,
        writer: Writer,
    ) -> Context {
        let clock = self.clock;
        let timer = self.timer.unwrap_or_else(|| Arc::new(SystemTimer::new(Arc::clone(&clock))));
        let by_project = self.metrics_project_id;
        let recorder = Recorder::new(self.logger, self.meter, &self.name, by_project);
        Context {
            runtime: Handle::current(),
            name: self.name,
            instance,
            output: self.store.output(),
            store: self.store,
            membership: RwLock::new(Some(membership)),
            clock,
            timer,
            ids: self.ids,
            rng: self.rng,
            dispatch: Dispatch::new(self.max_running, recorder.running()),
            settings: self.settings,
            tracer: self.tracer.unwrap_or_else(|| opentelemetry::global::tracer("loom")),
            reaper: self.reaper,
            registry,
            writer,
            recorder,
            waiters: Waiters::default(),
            closing: Closing::new(),
        }
    }
}

/// From here on the engine lives: if recovery fails, it is closed before the error is returned.
async fn set_going(cx: Arc<Context>, inbox: Inbox) -> Result<Engine> {
    let writer = tokio::spawn(inbox.run(Arc::clone(&cx)));
    let engine = Engine::new(Arc::clone(&cx), writer);
    if let Err(error) = recovery::recover(&cx).await {
        engine.close().await?;
        return Err(error);
    }
    cx.closing.open_claims();
    tokio::spawn(dispatch::run(Arc::clone(&cx)));
    if let Some(depth) = cx.recorder.depth() {
        tokio::spawn(queued::count(Arc::clone(&cx), Arc::clone(depth)));
    }
    cx.dispatch.wake();
    Ok(engine)
}

fn check_name(field: &'static str, name: &str) -> Result<()> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(invalid(field, format!("must have 1 to {NAME_BYTES_MAX} bytes")));
    }
    if name.chars().any(char::is_control) {
        return Err(invalid(field, "must not hold control characters"));
    }
    Ok(())
}

/// What looks like a secret, and what this process's environment calls one.
fn own_secrets() -> Redactor {
    let text = |text: std::ffi::OsString| text.into_string().ok();
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?)));
    Redactor::new().with_env(&variables.collect::<Env>(), |_| None)
}

fn invalid(field: &'static str, problem: impl Into<String>) -> Error {
    Error::Build(InvalidRequest::new(field, problem))
}

impl fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineBuilder")
            .field("name", &self.name)
            .field("max_running", &self.max_running)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
