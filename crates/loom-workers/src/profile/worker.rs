//! The worker that runs tools as their profiles say.

use std::env;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use loom_core::{
    Account, CrashPolicy, NoProgress, QualityGate, Stream, Task, TaskContext, Worker, WorkerError,
    WorkerResult,
};
use loom_deps::{Clock, Timer};
use tempfile::NamedTempFile;

use super::error::Unfit;
use super::reader::{Reader, read_whole};
use super::reading::Reading;
use super::spec::{Format, PromptBy};
use super::{ToolProfile, size, verdict};
use crate::base::TERM_GRACE;
use crate::environment::Environment;
use crate::intake::{Intake, OutputSink};
use crate::outcome::{self, Produced};
use crate::process::ProcessRunner;
use crate::runner::{Exit, Run, Runner};
use crate::start_error::StartError;
use crate::time::Time;

/// Runs an AI tool, or another one that is handed a prompt, for each task, as its
/// [`ToolProfile`] says.
///
/// What [`SubprocessBase`](crate::SubprocessBase) promises holds here too: no shell, nothing left
/// behind, output bounded. Beyond that:
///
/// - The result is the answer of the tool. If the answer cannot be told from the rest, because
///   events are missing or cannot be read, the result is all that the tool wrote, and
///   [`RAW_OUTPUT`](crate::profile_keys::RAW_OUTPUT) in the metadata says why.
/// - Progress is what people can read of the events. A line without text is a sign of life.
/// - Metadata holds session, model, tokens and cost as far as the tool tells them:
///   [`profile_keys`](crate::profile_keys).
/// - A tool that ends with a status that its profile does not call a success, or that says itself
///   that it failed, has failed, for good unless [`retry_failures`](Self::retry_failures) is set. A
///   usage limit makes it [`ErrorKind::RetryAfter`](loom_core::ErrorKind::RetryAfter) if the tool
///   says when the limit resets, and transient if not.
/// - Answers go through the full gate.
///
/// ```
/// use loom_workers::{ToolProfile, ToolWorker};
///
/// // The task's `cli` picks the profile; a task that names none gets the first.
/// let agents = ToolWorker::new(ToolProfile::claude().arg("--permission-mode=acceptEdits"))
///     .with(ToolProfile::codex())
///     .with(ToolProfile::gemini());
/// # let _: &dyn loom_core::Worker = &agents;
/// ```
pub struct ToolWorker {
    first: ToolProfile,
    others: Vec<ToolProfile>,
    runner: Box<dyn Runner>,
    tee: Option<Arc<dyn OutputSink>>,
    gate: QualityGate,
    crash_policy: CrashPolicy,
    retries_failures: bool,
    grace: Duration,
    time: Time,
}

impl ToolWorker {
    /// Runs the tool of `profile`, for tasks that name its [`name`](ToolProfile::name) as their
    /// `cli`, and for tasks that name none.
    #[must_use]
    pub fn new(profile: ToolProfile) -> Self {
        Self {
            first: profile,
            others: Vec::new(),
            runner: Box::new(ProcessRunner::new()),
            tee: None,
            gate: QualityGate::default(),
            crash_policy: CrashPolicy::default(),
            retries_failures: false,
            grace: TERM_GRACE,
            time: Time::default(),
        }
    }

    /// Adds a profile, for tasks that name it as their `cli`. Of two of one name the first counts.
    #[must_use]
    pub fn with(mut self, profile: ToolProfile) -> Self {
        self.others.push(profile);
        self
    }

    /// Has another one run the commands. Default: [`ProcessRunner`].
    #[must_use]
    pub fn runner(mut self, runner: impl Runner) -> Self {
        self.runner = Box::new(runner);
        self
    }

    /// Hands what tools write to `sink` as well, byte for byte, as it comes. Default: nobody.
    #[must_use]
    pub fn tee(mut self, sink: Arc<dyn OutputSink>) -> Self {
        self.tee = Some(sink);
        self
    }

    /// Sets how answers are judged. Default: the built-in rules, all of them.
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

    /// Says whether another attempt may help a tool that failed. Default: no.
    #[must_use]
    pub fn retry_failures(mut self, retries: bool) -> Self {
        self.retries_failures = retries;
        self
    }

    /// Sets how long a tool may take to end after it was asked to; it is killed then. Default:
    /// [`TERM_GRACE`]. Keep it well below the engine's own grace.
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

    /// The profile that `task` is run by. `None` if it names a tool that has none.
    #[must_use]
    pub fn profile(&self, task: &Task) -> Option<&ToolProfile> {
        match task.cli.as_deref().filter(|cli| !cli.is_empty()) {
            None => Some(&self.first),
            Some(cli) => self.profiles().find(|profile| profile.name() == cli),
        }
    }

    fn profiles(&self) -> impl Iterator<Item = &ToolProfile> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn unknown(&self, task: &Task) -> Unfit {
        let known = self.profiles().map(|profile| format!("`{}`", profile.name()));
        let known = known.collect::<Vec<_>>().join(", ");
        Unfit::UnknownCli { asked: task.cli.clone().unwrap_or_default(), known }
    }

    async fn run(
        &self,
        profile: &ToolProfile,
        (cx, task): (&TaskContext, &Task),
        stdout: &mut Intake<'_>,
        stderr: &mut Intake<'_>,
    ) -> Result<Exit, WorkerError> {
        let file = prompt_file(profile, task).await.map_err(unfit)?;
        let path = file.as_ref().map(|file| file.path().to_string_lossy());
        let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let command = profile.command(task, path.as_deref(), names).map_err(unfit)?;
        command.check().map_err(StartError::into_worker_error)?;
        let environment = Environment::of(&command, task, cx, |name| env::var_os(name))
            .map_err(StartError::into_worker_error)?;
        size::check(&command, &environment).map_err(unfit)?;
        let run = Run {
            task,
            cx,
            command: &command,
            environment: &environment,
            grace: self.grace,
            time: &self.time,
        };
        self.runner.run(&run, stdout, stderr).await
    }

    async fn attempt(
        &self,
        profile: &ToolProfile,
        cx: &TaskContext,
        task: &Task,
    ) -> (Result<WorkerResult, WorkerError>, Option<Reading>) {
        let started = self.time.now();
        let reader = (profile.format() != Format::Text).then(|| {
            let rules = (profile.format() == Format::Jsonl).then(|| profile.rules());
            Arc::new(Reader::new(rules, cx.clone(), self.tee.clone()))
        });
        // What a reader reports are not the lines, but what they say.
        let quiet = cx.clone().with_progress(Arc::new(NoProgress));
        let (lines_to, sink) = match &reader {
            Some(reader) => (&quiet, Some(Arc::clone(reader) as Arc<dyn OutputSink>)),
            None => (cx, self.tee.clone()),
        };
        let mut stdout = Intake::new(Stream::Stdout, task, lines_to, sink);
        let mut stderr = Intake::new(Stream::Stderr, task, cx, self.tee.clone());
        let end = self.run(profile, (cx, task), &mut stdout, &mut stderr).await;
        let produced = Produced {
            stdout: stdout.finish(),
            stderr: stderr.finish(),
            took: self.time.now().since(started),
        };
        let end = match end {
            Ok(exit) => outcome::ended(task, exit, cx.cancellation().reason(), false, produced),
            Err(error) => Err(outcome::not_run(task, error, produced)),
        };
        (end, reader.map(|reader| reader.finish()))
    }
}

fn unfit(error: Unfit) -> WorkerError {
    error.into_worker_error()
}

#[async_trait]
impl Worker for ToolWorker {
    async fn execute(&self, cx: &TaskContext, task: &Task) -> Result<WorkerResult, WorkerError> {
        if cx.cancellation().is_cancelled() {
            return Err(outcome::stopped(cx.cancellation().reason(), Duration::ZERO));
        }
        let profile = self.profile(task).ok_or_else(|| unfit(self.unknown(task)))?;
        let (end, reading) = self.attempt(profile, cx, task).await;
        let reading = match (profile.format(), &end) {
            (Format::Json, Ok(result)) => read_whole(&result.content, &profile.rules()),
            (Format::Json, Err(error)) => {
                let output = error.output().map_or("", |output| output.content.as_str());
                read_whole(output, &profile.rules())
            }
            _ => reading.unwrap_or_default(),
        };
        verdict::of(profile, task, reading, end, (self.time.now(), self.retries_failures))
    }

    fn gate(&self) -> Option<QualityGate> {
        Some(self.gate.clone())
    }

    fn crash_policy(&self) -> CrashPolicy {
        self.crash_policy
    }

    fn accounts(&self) -> Vec<Account> {
        let mut accounts: Vec<Account> =
            self.profiles().map(|profile| profile.account().into()).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// None for a task that names a tool which has no profile: that is no matter of accounts.
    fn account(&self, task: &Task) -> Option<Account> {
        self.profile(task).map(|profile| profile.account().into())
    }

    async fn reap(&self, task: &Task) -> Result<(), WorkerError> {
        self.runner.reap(task, &self.time).await
    }
}

impl fmt::Debug for ToolWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let profiles: Vec<_> = self.profiles().map(ToolProfile::name).collect();
        f.debug_struct("ToolWorker")
            .field("profiles", &profiles)
            .field("gate", &self.gate)
            .field("crash_policy", &self.crash_policy)
            .field("retries_failures", &self.retries_failures)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

/// Writes the prompt to a file that nobody else may read, if the profile hands it over that way. The
/// file is removed when it is dropped.
async fn prompt_file(profile: &ToolProfile, task: &Task) -> Result<Option<NamedTempFile>, Unfit> {
    if profile.prompt_by() != PromptBy::File {
        return Ok(None);
    }
    let prompt = task.prompt.clone();
    let written = tokio::task::spawn_blocking(move || {
        let mut file = tempfile::Builder::new().prefix("loom-prompt-").tempfile()?;
        file.write_all(prompt.as_bytes())?;
        Ok(file)
    });
    let written = written.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    written.map(Some).map_err(Unfit::PromptFile)
}
