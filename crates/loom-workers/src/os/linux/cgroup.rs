//! One cgroup of version 2, and everything that runs in it or below.
//!
//! Nothing that a process starts gets out of its cgroup, unless it moves itself to another one, or
//! has a service start something. On Linux 5.14 and newer all are killed in one step; before, they
//! are killed one by one, again and again until none is left.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal};

use super::home::Home;
use super::member::{Member, handle};
use super::process;

/// How far below a cgroup others are looked for. A command may make some.
const DEPTH_MAX: usize = 32;
/// How much is read of what the system tells of a cgroup: a few short lines.
const EVENTS_BYTES: usize = 256;

/// A cgroup that is ours to end and to remove. Removed when dropped, if it is empty then.
#[derive(Debug)]
pub(crate) struct Cgroup {
    path: PathBuf,
    /// What keeps others from taking it for one that a dead process has left.
    _claim: Claim,
}

#[derive(Debug)]
enum Claim {
    /// It is one of those of this process.
    Held(#[expect(dead_code, reason = "held for as long as the cgroup is")] Seat),
    /// It belonged to a process that is dead, and this is the lock that tells so.
    Lock(#[expect(dead_code, reason = "held for as long as the cgroup is")] OwnedFd),
}

/// The entry of a cgroup among those of its home.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) home: Arc<Home>,
    pub(super) number: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.home.forget(self.number);
    }
}

impl Cgroup {
    /// Makes a cgroup at `path`, one of those of this process.
    pub(super) fn make(path: PathBuf, seat: Seat) -> io::Result<Self> {
        fs::create_dir(&path)?;
        Ok(Self { path, _claim: Claim::Held(seat) })
    }

    /// Takes over what a dead process left.
    pub(super) fn left(path: PathBuf, lock: OwnedFd) -> Self {
        Self { path, _claim: Claim::Lock(lock) }
    }

    /// The directory, to start a child in.
    pub(crate) fn directory(&self) -> io::Result<OwnedFd> {
        File::open(&self.path).map(OwnedFd::from)
    }

    /// Whether no process is left that has not exited.
    pub(crate) fn is_empty(&self) -> bool {
        // What cannot be read is not there any more.
        fs::read(self.path.join("cgroup.events")).map_or(true, |events| !is_populated(&events))
    }

    /// The processes that have not ended.
    pub(crate) fn members(&self) -> Vec<Member> {
        members(&self.path)
    }

    /// Kills all processes.
    pub(crate) fn kill(&self) {
        kill_at(&self.path);
    }

    /// Kills all processes and waits for their end, at most so long without any news.
    pub(super) fn end(&self, wait_max: Duration) {
        let Ok(events) = File::open(self.path.join("cgroup.events")) else { return };
        let wait = Timespec::try_from(wait_max).unwrap_or_default();
        self.kill();
        let mut text = [0; EVENTS_BYTES];
        // News are told to whoever has read the old ones.
        while events
            .read_at(&mut text, 0)
            .is_ok_and(|read| text.get(..read).is_some_and(is_populated))
        {
            let news = poll(&mut [PollFd::new(&events, PollFlags::PRI)], Some(&wait));
            if !news.is_ok_and(|ready| ready > 0) {
                return;
            }
        }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        remove(&self.path, DEPTH_MAX);
    }
}

/// Kills all processes of the cgroup at `path`.
pub(super) fn kill_at(path: &Path) {
    if fs::write(path.join("cgroup.kill"), "1").is_err() {
        members(path).iter().for_each(|member| member.send(Signal::KILL));
    }
}

/// The processes of the cgroup at `path` that have not ended.
fn members(path: &Path) -> Vec<Member> {
    let find = |pid| Some((pid, handle(pid)?));
    let found: Vec<(Pid, OwnedFd)> = processes(path).into_iter().filter_map(find).collect();
    // Looked at again now that there are handles: an id may have passed to a stranger.
    let still = processes(path);
    let found = found.into_iter().filter(|(pid, _)| still.contains(pid));
    found.map(|(_, handle)| Member::alone(handle)).collect()
}

/// Removes a cgroup and those below it. One with processes stays.
pub(super) fn remove(path: &Path, depth: usize) {
    if fs::remove_dir(path).is_ok() || depth == 0 {
        return;
    }
    below(path).for_each(|path| remove(&path, depth - 1));
    // Fails if it is not empty, and then whoever comes across it later removes it.
    let _ = fs::remove_dir(path);
}

fn processes(path: &Path) -> Vec<Pid> {
    let mut found = Vec::new();
    list(path, DEPTH_MAX, &mut found);
    found
}

fn list(path: &Path, depth: usize, found: &mut Vec<Pid>) {
    let listed = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
    found.extend(listed.lines().filter_map(process::pid));
    if depth > 0 {
        below(path).for_each(|path| list(&path, depth - 1, found));
    }
}

/// The cgroups in a cgroup.
fn below(path: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
}

fn is_populated(events: &[u8]) -> bool {
    events.split(|byte| *byte == b'\n').any(|line| line == b"populated 1")
}
