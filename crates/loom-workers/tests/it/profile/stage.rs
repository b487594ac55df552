//! Tools that play a part.

use std::env;
use std::fs;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use loom_core::{ProgressSink, Task, TaskContext, TaskRequest, Worker, WorkerError, WorkerResult};
use loom_deps::{Clock, FakeClock, Timer, Timestamp};
use loom_workers::{Exit, Intake, Run, Runner, Stdin, ToolProfile, ToolWorker};
use serde_json::Value;

use crate::support::{Progress, task};

/// The moment at which everything here happens.
pub(crate) fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

/// A request of no special kind.
pub(crate) fn request() -> TaskRequest {
    TaskRequest::new("agent", "say hello")
}

/// What came of an attempt.
pub(crate) struct Played {
    pub(crate) end: Result<WorkerResult, WorkerError>,
    /// What the tool was started with, if it was started.
    pub(crate) report: Value,
    /// What was reported, signs of life aside.
    pub(crate) progress: Vec<String>,
}

impl Played {
    pub(crate) fn result(self) -> WorkerResult {
        self.end.unwrap()
    }

    pub(crate) fn error(self) -> WorkerError {
        self.end.unwrap_err()
    }

    pub(crate) fn arguments(&self) -> Vec<&str> {
        let arguments = self.report["arguments"].as_array().unwrap();
        arguments.iter().map(|argument| argument.as_str().unwrap()).collect()
    }
}

/// Runs the stand-in as the tool of `profile`: it writes `says` and ends with the status `exit`.
pub(crate) async fn stand_in(
    profile: ToolProfile,
    request: TaskRequest,
    says: &[u8],
    exit: u8,
) -> Played {
    let home = tempfile::tempdir().unwrap();
    let (says_path, report_path) = (home.path().join("says"), home.path().join("report"));
    fs::write(&says_path, says).unwrap();
    let request = request
        .env("STAND_IN_SAYS", says_path.to_str().unwrap())
        .env("STAND_IN_REPORT", report_path.to_str().unwrap())
        .env("STAND_IN_EXIT", exit.to_string());
    let worker = ToolWorker::new(profile.program(env!("CARGO_BIN_EXE_loom-stand-in")));
    let (end, progress) = execute(&worker, &task(request)).await;
    let report = fs::read_to_string(report_path).unwrap_or_else(|_| "null".to_owned());
    Played { end, report: serde_json::from_str(&report).unwrap(), progress }
}

/// Plays a tool within this process, at the moment [`now`].
pub(crate) async fn play(profile: ToolProfile, says: &[u8], exit: Exit) -> Played {
    play_for(profile, &task(request()), says, exit).await
}

pub(crate) async fn play_for(profile: ToolProfile, task: &Task, says: &[u8], exit: Exit) -> Played {
    let clock = Arc::new(FakeClock::at(now()));
    let worker = ToolWorker::new(profile)
        .runner(Part { says: says.to_vec(), exit })
        .time(Arc::clone(&clock) as Arc<dyn Clock>, clock as Arc<dyn Timer>);
    let (end, progress) = execute(&worker, task).await;
    Played { end, report: Value::Null, progress }
}

pub(crate) async fn execute(
    worker: &ToolWorker,
    task: &Task,
) -> (Result<WorkerResult, WorkerError>, Vec<String>) {
    let progress = Arc::new(Progress::default());
    let cx = TaskContext::new().with_progress(Arc::clone(&progress) as Arc<dyn ProgressSink>);
    let end = worker.execute(&cx, task).await;
    let lines = progress.lines().into_iter().filter(|line| !line.is_empty());
    (end, lines.collect())
}

/// Writes what it is told to, in small pieces, and ends as it is told to.
struct Part {
    says: Vec<u8>,
    exit: Exit,
}

#[async_trait]
impl Runner for Part {
    async fn run(
        &self,
        _run: &Run<'_>,
        stdout: &mut Intake<'_>,
        stderr: &mut Intake<'_>,
    ) -> Result<Exit, WorkerError> {
        // Small enough to cut events and characters in two.
        let size = 7.max(self.says.len() / 1000);
        for piece in self.says.chunks(size) {
            stdout.take(piece).await;
        }
        if self.exit != Exit::code(0) {
            stderr.take(b"something went wrong\n").await;
        }
        Ok(self.exit)
    }
}

/// What a tool would have been started with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Started {
    pub(crate) arguments: Vec<String>,
    pub(crate) stdin: Vec<u8>,
}

/// Starts nothing, and keeps what it was asked to start.
#[derive(Clone, Debug, Default)]
struct Record(Arc<Mutex<Option<Started>>>);

#[async_trait]
impl Runner for Record {
    async fn run(
        &self,
        run: &Run<'_>,
        _stdout: &mut Intake<'_>,
        _stderr: &mut Intake<'_>,
    ) -> Result<Exit, WorkerError> {
        let arguments = run.command.args.iter();
        let arguments = arguments.map(|argument| argument.to_str().unwrap().to_owned()).collect();
        let stdin = match &run.command.stdin {
            Stdin::Text(bytes) => bytes.clone(),
            _ => Vec::new(),
        };
        *self.0.lock().unwrap() = Some(Started { arguments, stdin });
        Ok(Exit::code(0))
    }
}

/// What the tool of `profile` would be started with for `request`, or why it would not be started.
pub(crate) fn start(profile: &ToolProfile, request: TaskRequest) -> Result<Started, WorkerError> {
    let record = Record::default();
    let worker = ToolWorker::new(profile.clone()).runner(record.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let end = runtime.block_on(worker.execute(&TaskContext::new(), &task(request)));
    let started = record.0.lock().unwrap().take();
    started.ok_or_else(|| end.unwrap_err())
}

/// The names of the variables that this process has.
pub(crate) fn host_names() -> Vec<String> {
    env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
}
