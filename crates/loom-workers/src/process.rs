//! Running commands as processes of this machine.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use loom_core::{Task, WorkerError};
use rustix::process::Pid;
use tokio::process::Child;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::command::Stdin;
use crate::environment::TASK_ID_VARIABLE;
use crate::intake::Intake;
use crate::outcome;
use crate::pipes::Pipes;
use crate::runner::{Exit, Run, Runner};
use crate::start_error::StartError;
use crate::time::Time;
use crate::tree::{Mark, Tree, has_exited};

/// The variable by which the processes of one run are found again. Its value never repeats.
pub const RUN_VARIABLE: &str = "LOOM_RUN";

/// How long what a dead process left behind may take to end after it was asked to.
const REAP_GRACE: Duration = Duration::from_secs(1);
/// How often it is looked whether a command has ended, should the host have taken the signal that
/// tells it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Runs commands as processes of this machine, each in a process group of its own.
///
/// When the leader of the group has ended, and also when the attempt is told to stop, everything
/// that it started is ended: the group, and on Linux also what has left the group but carries the
/// mark of the run in its environment. All get `SIGTERM`, and `SIGKILL` after the grace. On other
/// systems what has left the group gets away, and what is left of the group after its leader's end
/// is killed without grace.
///
/// Needs a tokio runtime with I/O and time. Do not have the system reap children by itself
/// (`SIGCHLD` ignored): their exit status would be lost.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessRunner;

#[async_trait]
impl Runner for ProcessRunner {
    async fn run(
        &self,
        run: &Run<'_>,
        stdout: &mut Intake<'_>,
        stderr: &mut Intake<'_>,
    ) -> Result<Exit, WorkerError> {
        let cancellation = run.cx.cancellation();
        let started = select! {
            biased;
            started = start(run) => started,
            () = cancellation.cancelled() => {
                return Err(outcome::stopped(cancellation.reason(), Duration::ZERO));
            }
        };
        let mut leader = started.map_err(StartError::into_worker_error)?;
        let pipes = Pipes::of(&mut leader.child);
        let (tell, ended) = watch::channel(false);
        let control = async {
            let stopped = leader.exited_or_told(run).await;
            leader.tree.end(run.grace, run.time).await;
            tell.send_replace(true);
            stopped
        };
        let input = input(&run.command.stdin);
        let flow = pipes.flow(input, stdout, stderr, run.cx, (&ended, run.time));
        let (stopped, ()) = tokio::join!(control, flow);
        Ok(leader.reap().await?.stopped(stopped))
    }

    async fn reap(&self, task: &Task, time: &Time) -> Result<(), WorkerError> {
        let mark = Mark::new(TASK_ID_VARIABLE, task.id.as_str());
        Tree::orphaned(mark).end(REAP_GRACE, time).await;
        Ok(())
    }
}

/// The process that a command was started as.
struct Leader {
    child: Child,
    pid: Pid,
    tree: Tree,
    /// Told whenever any child of this process ends.
    children: Signal,
    is_reaped: bool,
}

impl Leader {
    /// Whether the attempt was told to stop before the leader exited. Leaves it unreaped.
    async fn exited_or_told(&mut self, run: &Run<'_>) -> bool {
        select! {
            biased;
            () = self.exited(run.time) => false,
            // The leader may have exited before that, and the signal be on its way.
            () = run.cx.cancellation().cancelled() => !has_exited(self.pid),
        }
    }

    async fn exited(&mut self, time: &Time) {
        while !has_exited(self.pid) {
            select! {
                biased;
                _ = self.children.recv() => {}
                () = time.sleep(LOOK_AGAIN) => {}
            }
        }
    }

    async fn reap(&mut self) -> io::Result<Exit> {
        let status = self.child.wait().await?;
        self.is_reaped = true;
        let by_signal = || Exit::signal(status.signal().unwrap_or_default());
        Ok(status.code().map_or_else(by_signal, Exit::code))
    }
}

impl Drop for Leader {
    /// Dropped before its end was seen: nobody waits any more, and nothing may be left.
    fn drop(&mut self) {
        if !self.is_reaped {
            self.tree.kill();
        }
    }
}

/// Waits for nothing but the input to be opened. If dropped there, nothing was started.
async fn start(run: &Run<'_>) -> Result<Leader, StartError> {
    let command = run.command;
    if let Some(cwd) = &command.cwd {
        check_directory(cwd)?;
    }
    let failed = |source| StartError::of(command, source);
    // From before the start, so that no end is missed.
    let children = signal(SignalKind::child()).map_err(failed)?;
    let id = run_id(run.time);
    let mut process = tokio::process::Command::new(&command.program);
    process
        .args(&command.args)
        .stdin(open(&command.stdin).await?)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    if let Some(cwd) = &command.cwd {
        process.current_dir(cwd);
    }
    if !run.environment.inherits {
        process.env_clear();
    }
    process.envs(&run.environment.variables).env(RUN_VARIABLE, &id);
    let child = process.spawn().map_err(failed)?;
    let pid = pid(&child).ok_or_else(|| failed(io::Error::other("it has no process id")))?;
    Ok(Leader {
        child,
        pid,
        tree: Tree::led(Mark::new(RUN_VARIABLE, &id), pid),
        children,
        is_reaped: false,
    })
}

fn pid(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?))
}

/// Checked before the start, whose error would not say that it is the directory that is missing.
fn check_directory(cwd: &Path) -> Result<(), StartError> {
    let not_a_directory = || io::Error::from(io::ErrorKind::NotADirectory);
    let found = fs::metadata(cwd).and_then(|found| {
        let is_directory = found.is_dir();
        is_directory.then_some(()).ok_or_else(not_a_directory)
    });
    found.map_err(|source| StartError::Cwd { cwd: cwd.to_owned(), source })
}

async fn open(stdin: &Stdin) -> Result<Stdio, StartError> {
    match stdin {
        Stdin::Null => Ok(Stdio::null()),
        Stdin::Text(_) => Ok(Stdio::piped()),
        Stdin::File(path) => {
            let opened = path.clone();
            // Opening a named pipe waits for its writer.
            let file = tokio::task::spawn_blocking(|| File::open(opened)).await;
            let file = file.unwrap_or_else(|error| Err(error.into()));
            file.map(Stdio::from).map_err(|source| StartError::Stdin { path: path.clone(), source })
        }
    }
}

fn input(stdin: &Stdin) -> &[u8] {
    match stdin {
        Stdin::Text(bytes) => bytes,
        _ => &[],
    }
}

/// A text that no other run has: not of this process, nor of an earlier one with its id.
fn run_id(time: &Time) -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let number = RUNS.fetch_add(1, Ordering::Relaxed);
    format!("{}.{}.{number}", std::process::id(), time.now().as_micros())
}
