//! The process that a command is started as.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::Pid;
use tokio::task::spawn_blocking;

use crate::child::Child;
use crate::command::Stdin;
use crate::hold::{Grip, Hold, Wish};
use crate::launch::{Ends, Image, Input};
use crate::orphans::{self, Orphan};
use crate::os::{Born, Supervised};
use crate::process::RUN_VARIABLE;
use crate::runner::Run;
use crate::start_error::StartError;
use crate::sweep::Mark;
use crate::time::Time;
use crate::tree::Tree;

/// The process that a command was started as, with all that it starts.
#[derive(Debug)]
pub(crate) struct Leader {
    pid: Pid,
    tree: Arc<Tree>,
    is_reaped: bool,
}

impl Leader {
    fn launch(image: &Image, run_id: &str, grip: Grip) -> io::Result<Self> {
        // From before the start, so that it never seems younger than it is.
        let born = Born::now();
        let pid = image.launch(grip.place()?.as_ref().map(OwnedFd::as_fd))?;
        Ok(Self { pid, tree: Arc::new(grip.tree(run_id, pid, born)), is_reaped: false })
    }

    pub(crate) const fn pid(&self) -> Pid {
        self.pid
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Says that its end was seen, and nothing is left to do.
    pub(crate) const fn is_reaped(&mut self) {
        self.is_reaped = true;
    }
}

impl Drop for Leader {
    /// Dropped before its end was seen: nobody waits any more, and nothing may be left.
    fn drop(&mut self) {
        if !self.is_reaped {
            orphans::end(Orphan { leader: self.pid, tree: Arc::clone(&self.tree) });
        }
    }
}

/// A command that was started.
#[derive(Debug)]
pub(crate) enum Started {
    Child(Leader, Child),
    /// With the mark of its run, by which its processes are found should its supervisor be lost.
    Supervised(Supervised, Mark),
}

impl Started {
    fn launch(image: Image, run_id: &str, grace: Duration, hold: Hold) -> io::Result<Self> {
        let grip = match hold {
            Hold::Supervisor(supervisor) => {
                let mark = Mark::new(RUN_VARIABLE, run_id);
                return Ok(Self::Supervised(supervisor.launch(image, grace)?, mark));
            }
            Hold::Cgroup(cgroup) => Grip::Cgroup(cgroup),
            Hold::Sweep => Grip::Sweep,
        };
        let leader = Leader::launch(&image, run_id, grip)?;
        let child = Child::new(leader.pid())?;
        Ok(Self::Child(leader, child))
    }
}

/// Starts the command. If dropped before it is done, nothing is started, or it is killed at once.
pub(crate) async fn start(run: &Run<'_>, wish: &Wish) -> Result<(Started, Ends), StartError> {
    let command = run.command;
    if let Some(cwd) = &command.cwd {
        check_directory(cwd)?;
    }
    let failed = |source| StartError::of(command, source);
    let input = open(&command.stdin).await?;
    let run_id = run_id(run.time);
    let image = Image::of(command, run.environment, &run_id, input);
    let (image, ends) = image.map_err(failed)?;
    let (task, wish, grace) = (run.task.id.clone(), wish.clone(), run.grace);
    // The thread stands still until the child has become the program; others need this one.
    let launched = spawn_blocking(move || {
        wish.hold(&task).map(|hold| Started::launch(image, &run_id, grace, hold))
    });
    let started = launched.await.unwrap_or_else(|error| Ok(Err(error.into())));
    Ok((started.map_err(StartError::Tree)?.map_err(failed)?, ends))
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

async fn open(stdin: &Stdin) -> Result<Input, StartError> {
    let path = match stdin {
        Stdin::Null => Path::new("/dev/null"),
        Stdin::Text(_) => return Ok(Input::Pipe),
        Stdin::File(path) => path,
    };
    let opened = path.to_owned();
    // Opening a named pipe waits for its writer.
    let file = match stdin {
        Stdin::Null => File::open(opened),
        _ => {
            let file = spawn_blocking(|| File::open(opened)).await;
            file.unwrap_or_else(|error| Err(error.into()))
        }
    };
    let file = file.map(|file| Input::File(file.into()));
    file.map_err(|source| StartError::Stdin { path: path.to_owned(), source })
}

/// A text that no other run has: not of this process, nor of an earlier one with its id.
fn run_id(time: &Time) -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let number = RUNS.fetch_add(1, Ordering::Relaxed);
    format!("{}.{}.{number}", std::process::id(), time.now().as_micros())
}
