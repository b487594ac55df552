//! The worker that runs commands.

use std::env;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use loom_core::{
    CrashPolicy, QualityGate, Stream, Task, TaskContext, Worker, WorkerError, WorkerResult,
};
use loom_deps::{Clock, Timer};

use crate::command::{Command, Resolver};
use crate::environment::Environment;
use crate::intake::{Intake, OutputSink};
use crate::outcome::{self, Produced};
use crate::process::ProcessRunner;
use crate::runner::{Exit, Run, Runner};
use crate::start_error::StartError;
use crate::time::Time;
use crate::tree_mode::TreeMode;

/// How long a command may take to end after it was asked to. Builder: [`SubprocessBase::grace`].
pub const TERM_GRACE: Duration = Duration::from_secs(5);

/// Runs a command for each task: a real process, without a shell.
///
/// The result is what the command wrote to standard output, byte for byte as far as it is UTF-8, up
/// to 8 MiB; beyond that head and tail are kept. An exit status other than 0, or a signal, is a
/// permanent error that keeps the output; so does a command that was told to stop. Metadata holds
/// what [`keys`](crate::keys) names. Every line that the command writes, on either output, is
/// reported as progress.
///
/// The command finds the variables of its task in its environment, and [`TASK_ID_VARIABLE`] and
/// [`ATTEMPT_VARIABLE`]. It leaves no process behind: see [`ProcessRunner`].
///
/// [`TASK_ID_VARIABLE`]: crate::TASK_ID_VARIABLE
/// [`ATTEMPT_VARIABLE`]: crate::ATTEMPT_VARIABLE
///
/// ```
/// use loom_core::{Worker, TaskContext};
/// # use loom_core::{NewTask, TaskId};
/// # use loom_deps::Timestamp;
/// use loom_workers::{CommandLine, SubprocessBase, command_request};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let worker = SubprocessBase::new(CommandLine);
/// let request = command_request("command", ["echo", "hello"]);
/// # let task = NewTask {
/// #     id: TaskId::new("doc-subprocess-base").unwrap(),
/// #     engine_name: "default".into(),
/// #     request,
/// #     created_at: Timestamp::from_micros(0),
/// #     pinned_to: None,
/// #     daemon_id: None,
/// # }
/// # .into_task(1);
/// let result = worker.execute(&TaskContext::new(), &task).await.unwrap();
/// assert_eq!(result.content, "hello\n");
/// assert_eq!(result.metadata["exit_code"], 0);
/// # });
/// ```
pub struct SubprocessBase {
    resolver: Box<dyn Resolver>,
    runner: Box<dyn Runner>,
    tee: Option<Arc<dyn OutputSink>>,
    gate: QualityGate,
    crash_policy: CrashPolicy,
    retries_failures: bool,
    grace: Duration,
    time: Time,
}

impl SubprocessBase {
    /// Runs the commands that `resolver` names.
    pub fn new(resolver: impl Resolver) -> Self {
        Self {
            resolver: Box::new(resolver),
            runner: Box::new(ProcessRunner::new()),
            tee: None,
            gate: QualityGate::accept_all(),
            crash_policy: CrashPolicy::default(),
            retries_failures: false,
            grace: TERM_GRACE,
            time: Time::default(),
        }
    }

    /// Has another one run the commands. Default: [`ProcessRunner`].
    #[must_use]
    pub fn runner(mut self, runner: impl Runner) -> Self {
        self.runner = Box::new(runner);
        self
    }

    /// Sets how everything that a command starts is held together. Default: [`TreeMode::Auto`].
    ///
    /// Has commands run by a [`ProcessRunner`], instead of any runner that was set before.
    #[must_use]
    pub fn tree(self, mode: TreeMode) -> Self {
        self.runner(ProcessRunner::new().mode(mode))
    }

    /// Hands what commands write to `sink` as well, byte for byte, as it comes. Default: nobody.
    #[must_use]
    pub fn tee(mut self, sink: Arc<dyn OutputSink>) -> Self {
        self.tee = Some(sink);
        self
    }

    /// Sets how results are judged. Default: a command that ended with status 0 has done well,
    /// whatever it wrote.
    #[must_use]
    pub fn gate(mut self, gate: QualityGate) -> Self {
        self.gate = gate;
        self
    }

    /// Sets what becomes of a task whose process died. Default: [`CrashPolicy::Fail`].
    #[must_use]
    pub fn crash_policy(mut self, policy: CrashPolicy) -> Self {
        self.crash_policy = policy;
        self
    }

    /// Says whether another attempt may help a command that failed. Default: no.
    #[must_use]
    pub fn retry_failures(mut self, retries: bool) -> Self {
        self.retries_failures = retries;
        self
    }

    /// Sets how long a command may take to end after it was asked to; it is killed then.
    ///
    /// Default: [`TERM_GRACE`]. Keep it well below the engine's own grace, which is 10 s unless set:
    /// when that is over, the attempt is dropped with what its command has written, and the command
    /// is killed at once.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets the clock and the timer to go by. Default: those of this machine.
    #[must_use]
    pub fn time(mut self, clock: Arc<dyn Clock>, timer: Arc<dyn Timer>) -> Self {
        self.time = Time::new(clock, timer);
        self
    }

    async fn run(
        &self,
        cx: &TaskContext,
        task: &Task,
        stdout: &mut Intake<'_>,
        stderr: &mut Intake<'_>,
    ) -> Result<Exit, WorkerError> {
        let command = self.command(task)?;
        let environment = Environment::of(&command, task, cx, |name| env::var_os(name));
        let run = Run {
            task,
            cx,
            command: &command,
            environment: &environment.map_err(StartError::into_worker_error)?,
            grace: self.grace,
            time: &self.time,
        };
        self.runner.run(&run, stdout, stderr).await
    }

    fn command(&self, task: &Task) -> Result<Command, WorkerError> {
        let mut command = self.resolver.resolve(task)?;
        if command.cwd.is_none() {
            command.cwd = task.cwd.as_ref().map(Into::into);
        }
        command.check().map_err(StartError::into_worker_error)?;
        Ok(command)
    }
}

#[async_trait]
impl Worker for SubprocessBase {
    async fn execute(&self, cx: &TaskContext, task: &Task) -> Result<WorkerResult, WorkerError> {
        if cx.cancellation().is_cancelled() {
            return Err(outcome::stopped(cx.cancellation().reason(), Duration::ZERO));
        }
        let started = self.time.now();
        let mut stdout = Intake::new(Stream::Stdout, task, cx, self.tee.clone());
        let mut stderr = Intake::new(Stream::Stderr, task, cx, self.tee.clone());
        let end = self.run(cx, task, &mut stdout, &mut stderr).await;
        let produced = Produced {
            stdout: stdout.finish(),
            stderr: stderr.finish(),
            took: self.time.now().since(started),
        };
        let reason = cx.cancellation().reason();
        match end {
            Ok(exit) => outcome::ended(task, exit, reason, self.retries_failures, produced),
            Err(error) => Err(outcome::not_run(task, error, produced)),
        }
    }

    fn gate(&self) -> Option<QualityGate> {
        Some(self.gate.clone())
    }

    fn crash_policy(&self) -> CrashPolicy {
        self.crash_policy
    }

    async fn reap(&self, task: &Task) -> Result<(), WorkerError> {
        self.runner.reap(task, &self.time).await
    }
}

impl fmt::Debug for SubprocessBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubprocessBase")
            .field("gate", &self.gate)
            .field("crash_policy", &self.crash_policy)
            .field("retries_failures", &self.retries_failures)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}
