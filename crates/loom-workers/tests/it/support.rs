//! Tasks to run, and eyes for what happens.

use std::fs;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use loom_core::{
    NewTask, ProgressSink, Stream, Task, TaskContext, TaskId, TaskRequest, Worker, WorkerError,
    WorkerResult,
};
use loom_deps::{Clock, SystemClock, SystemTimer, Timer, Timestamp};
use loom_workers::{CommandLine, SubprocessBase, command_request};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

/// Longer than anything that happens here takes, on a busy machine too.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// A grace that is over soon.
pub(crate) const SHORT: Duration = Duration::from_millis(50);

pub(crate) fn task(request: TaskRequest) -> Task {
    static TASKS: AtomicU64 = AtomicU64::new(0);
    let number = TASKS.fetch_add(1, Ordering::Relaxed);
    let id = format!("{}-{number}", std::process::id());
    let new = NewTask {
        id: TaskId::new(id).unwrap(),
        engine_name: "default".into(),
        request,
        created_at: Timestamp::from_micros(0),
        pinned_to: None,
        daemon_id: None,
    };
    new.into_task(1)
}

pub(crate) fn command(argv: &[&str]) -> Task {
    task(command_request("command", argv.iter().copied()))
}

pub(crate) fn shell(script: &str) -> Task {
    command(&["sh", "-c", script])
}

pub(crate) fn worker() -> SubprocessBase {
    SubprocessBase::new(CommandLine)
}

/// Runs a task's command as it is run by default.
pub(crate) async fn run(task: &Task) -> Result<WorkerResult, WorkerError> {
    worker().execute(&TaskContext::new(), task).await
}

/// Keeps what commands write, for a test to wait for.
#[derive(Debug, Default)]
pub(crate) struct Tee {
    stdout: watch::Sender<Vec<u8>>,
    stderr: watch::Sender<Vec<u8>>,
}

impl Tee {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn of(&self, stream: Stream) -> Vec<u8> {
        self.sender(stream).borrow().clone()
    }

    /// The first line of `stream`, when it has come.
    pub(crate) async fn line(&self, stream: Stream) -> String {
        let mut seen = self.sender(stream).subscribe();
        let seen = seen.wait_for(|bytes| bytes.contains(&b'\n')).await.unwrap();
        let text = String::from_utf8_lossy(&seen);
        text.lines().next().unwrap().to_owned()
    }

    /// The number that the first line of standard output is, when it has come.
    pub(crate) async fn pid(&self) -> Pid {
        pid(&self.line(Stream::Stdout).await)
    }

    /// Returns when `stream` has brought at least `count` bytes.
    pub(crate) async fn bytes(&self, stream: Stream, count: usize) {
        let mut seen = self.sender(stream).subscribe();
        seen.wait_for(|bytes| bytes.len() >= count).await.unwrap();
    }

    fn sender(&self, stream: Stream) -> &watch::Sender<Vec<u8>> {
        match stream {
            Stream::Stdout => &self.stdout,
            _ => &self.stderr,
        }
    }
}

#[async_trait]
impl loom_workers::OutputSink for Tee {
    async fn write(&self, _task: &Task, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        self.sender(stream).send_modify(|seen| seen.extend(bytes));
        Ok(())
    }
}

/// Keeps the lines that are reported.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<Vec<String>>);

impl Progress {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl ProgressSink for Progress {
    fn report(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

pub(crate) fn pid(text: &str) -> Pid {
    Pid::from_raw(text.trim().parse().unwrap()).unwrap()
}

/// The state of a process, a letter; `None` if there is no such process.
pub(crate) fn state(pid: Pid) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.trim().chars().next()
}

/// Whether a process is there and has not ended.
pub(crate) fn is_running(pid: Pid) -> bool {
    state(pid).is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// The processes that carry the mark of a task.
pub(crate) fn marked(task: &Task) -> Vec<String> {
    let mark = format!("LOOM_TASK_ID={}", task.id);
    let carries = |environ: Vec<u8>| environ.split(|b| *b == 0).any(|e| e == mark.as_bytes());
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|entry| fs::read(entry.path().join("environ")).is_ok_and(carries))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Looks until `condition` holds.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let timer = SystemTimer::new(Arc::clone(&clock));
    while !condition() {
        let soon = clock.now().saturating_add(Duration::from_millis(2));
        timer.sleep_until(soon).await;
    }
}

pub(crate) fn signal(pid: Pid, signal: Signal) {
    kill_process(pid, signal).unwrap();
}
