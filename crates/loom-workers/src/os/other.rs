//! Systems on which a process cannot look into the environment of others, and that have no cgroups.
//!
//! Only the group of a command's leader can be ended here. A process that has left the group gets
//! away, and what a dead process left behind is not found. A command inherits the files that the
//! host has opened without marking them to be closed, and the signals that the host blocks.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use loom_core::TaskId;
use rustix::process::{Pid, Signal};

use crate::launch::Image;
use crate::runner::Exit;
use crate::sweep::Sweep;
use crate::tree_mode::{TreeMode, TreeUnavailable};

const NO_CGROUPS: &str = "only Linux has cgroups";
const NO_SUPERVISORS: &str = "supervisors run on Linux alone";

/// When the leader of a tree was started. Of no use here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Born;

impl Born {
    pub(crate) const fn now() -> Self {
        Self
    }
}

/// A process of a tree, other than its leader. There is no way to find one.
#[derive(Debug)]
pub(crate) enum Member {}

impl Member {
    pub(crate) fn is_gone(&self) -> bool {
        match *self {}
    }

    pub(crate) fn is_in_group(&self) -> bool {
        match *self {}
    }

    pub(crate) fn send(&self, _signal: Signal) {
        match *self {}
    }
}

/// A cgroup. There are none.
#[derive(Debug)]
pub(crate) enum Cgroup {}

impl Cgroup {
    pub(crate) fn directory(&self) -> io::Result<OwnedFd> {
        match *self {}
    }

    pub(crate) fn is_empty(&self) -> bool {
        match *self {}
    }

    pub(crate) fn members(&self) -> Vec<Member> {
        match *self {}
    }

    pub(crate) fn kill(&self) {
        match *self {}
    }
}

/// Commands cannot have cgroups.
pub(crate) fn can_hold() -> Result<(), String> {
    Err(NO_CGROUPS.to_owned())
}

pub(crate) fn hold(_task: &TaskId) -> Result<Cgroup, String> {
    Err(NO_CGROUPS.to_owned())
}

/// A supervisor that has no command yet. There are none.
#[derive(Debug)]
pub(crate) enum Supervisor {}

impl Supervisor {
    pub(crate) fn launch(self, _image: Image, _grace: Duration) -> io::Result<Supervised> {
        match self {}
    }
}

/// A command under a supervisor. There are none.
#[derive(Debug)]
pub(crate) enum Supervised {}

impl Supervised {
    pub(crate) async fn ended(&mut self) -> io::Result<Exit> {
        match *self {}
    }

    pub(crate) fn end(&self, _grace: Duration) {
        match *self {}
    }

    pub(crate) fn abandon(&self) {
        match *self {}
    }
}

/// Commands cannot have supervisors.
pub(crate) fn can_supervise(_named: Option<&Path>) -> Result<(), String> {
    Err(NO_SUPERVISORS.to_owned())
}

pub(crate) fn supervise(
    _named: Option<&Path>,
    _task: &TaskId,
) -> Result<Supervisor, TreeUnavailable> {
    Err(TreeUnavailable::new(TreeMode::Supervisor, NO_SUPERVISORS))
}

pub(crate) const fn kill_held(_task: &TaskId) {}

pub(crate) const fn dead_homes() -> Vec<Cgroup> {
    Vec::new()
}

/// No process: none can be found.
pub(crate) const fn members(_tree: &Sweep) -> Vec<Member> {
    Vec::new()
}

/// Nobody knows.
pub(crate) const fn is_empty(_tree: &Sweep) -> bool {
    false
}

/// A handle on a process. There is none.
pub(crate) const fn handle(_process: Pid) -> Option<OwnedFd> {
    None
}

/// Starts `image` as a child of this process that leads a group of its own.
///
/// # Errors
/// What the system had against it. There is no child then.
pub(crate) fn launch(image: &Image, _place: Option<BorrowedFd<'_>>) -> io::Result<Pid> {
    let text = |text: &std::ffi::CStr| OsStr::from_bytes(text.to_bytes()).to_owned();
    let mut command = Command::new(text(&image.path));
    let [stdin, stdout, stderr] = image.files.each_ref().map(OwnedFd::try_clone);
    command.process_group(0).env_clear();
    command.stdin(Stdio::from(stdin?)).stdout(Stdio::from(stdout?)).stderr(Stdio::from(stderr?));
    let mut argv = image.argv.iter().map(|arg| text(arg));
    if let Some(name) = argv.next() {
        command.arg0(name);
    }
    command.args(argv);
    for entry in &image.envp {
        let entry = entry.to_bytes();
        let end = entry.iter().position(|byte| *byte == b'=').unwrap_or(entry.len());
        let (name, value) = entry.split_at(end);
        let value = value.strip_prefix(b"=").unwrap_or_default();
        command.env(OsStr::from_bytes(name), OsStr::from_bytes(value));
    }
    if let Some(cwd) = &image.cwd {
        command.current_dir(text(cwd));
    }
    let id = command.spawn()?.id();
    id.try_into().ok().and_then(Pid::from_raw).ok_or_else(|| io::ErrorKind::Other.into())
}

/// Pipes hold what they hold.
pub(crate) const fn widen(_pipe: &impl AsFd, _bytes: usize) {}
