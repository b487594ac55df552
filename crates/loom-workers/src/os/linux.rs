//! Linux: the environment with which a process was started stands in `/proc`.
//!
//! Needs Linux 5.3 or newer for handles on processes, which keep a signal from reaching a stranger
//! that was given the id of a process that is gone. Without them only the group of a command's leader
//! is ended. A process escapes the search if it left the group and was started without the mark, or
//! belongs to another user.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;

use memchr::{memmem, memrchr};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, RawPid, Signal, getpid, pidfd_open, pidfd_send_signal};

use crate::tree::Tree;

/// How much is read of one environment. The system allows a quarter of the stack's limit, which is
/// 2 MiB as a rule.
const ENVIRON_BYTES_MAX: u64 = 8 << 20;
/// How much is read of what the system says of a process; the name in it has at most 64 bytes.
const STAT_BYTES: usize = 512;
/// How far up the own ancestors are looked for.
const ANCESTORS_MAX: usize = 256;

/// A process of a tree, other than its leader, that has not ended when it was found.
#[derive(Debug)]
pub(crate) struct Member {
    handle: OwnedFd,
    is_in_group: bool,
}

impl Member {
    /// Whether the process has ended.
    pub(crate) fn is_gone(&self) -> bool {
        let mut handles = [PollFd::new(&self.handle, PollFlags::IN)];
        poll(&mut handles, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    /// Whether the process is in the group of its tree's leader.
    pub(crate) const fn is_in_group(&self) -> bool {
        self.is_in_group
    }

    /// Sends a signal to this process and no other.
    pub(crate) fn send(&self, signal: Signal) {
        // Fails if the process has ended meanwhile or belongs to another user.
        let _ = pidfd_send_signal(&self.handle, signal);
    }
}

/// The processes of `tree` that have not ended, without the leader, this process and its ancestors.
pub(crate) fn members(tree: &Tree) -> Vec<Member> {
    let spared = own_line();
    let group = tree.group();
    processes()
        .filter(|pid| tree.leader() != Some(*pid) && !spared.contains(pid))
        .filter_map(|pid| member(tree.mark(), group, pid))
        .collect()
}

fn member(mark: &[u8], group: Option<Pid>, pid: Pid) -> Option<Member> {
    place(mark, group, pid)?;
    let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    // Looked at again now that the handle is held: the id may have passed to a stranger in between.
    let is_in_group = place(mark, group, pid)?;
    let member = Member { handle, is_in_group };
    (!member.is_gone()).then_some(member)
}

/// Whether the process is in the tree's group, if it belongs to the tree at all.
fn place(mark: &[u8], group: Option<Pid>, pid: Pid) -> Option<bool> {
    let is_in_group = group == Some(group_of(pid)?);
    (is_in_group || carries(pid, mark)).then_some(is_in_group)
}

/// Whether the process was started with the mark in its environment.
fn carries(pid: Pid, mark: &[u8]) -> bool {
    let Ok(file) = File::open(format!("/proc/{pid}/environ")) else {
        return false;
    };
    let mut environ = Vec::new();
    // A process that ends meanwhile cannot be read, and need not be.
    let _ = file.take(ENVIRON_BYTES_MAX).read_to_end(&mut environ);
    let is_there = memmem::find(&environ, mark).is_some();
    // Found as a part of another entry it would not count.
    is_there && environ.split(|byte| *byte == 0).any(|entry| entry == mark)
}

fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| pid(entry.file_name().to_str()?))
}

/// Of what is about to disappear the system writes -1, of what is out of sight 0.
fn pid(text: &str) -> Option<Pid> {
    text.parse::<RawPid>().ok().filter(|raw| *raw > 0).and_then(Pid::from_raw)
}

/// This process and its ancestors.
fn own_line() -> Vec<Pid> {
    std::iter::successors(Some(getpid()), |pid| parent(*pid)).take(ANCESTORS_MAX).collect()
}

fn parent(child: Pid) -> Option<Pid> {
    stat(child, 1)
}

/// The group of a process. The threads of the kernel have none, nor an environment.
fn group_of(process: Pid) -> Option<Pid> {
    stat(process, 2)
}

/// The process id that stands in the field `index` of what the system says of a process, counted
/// from its state on.
fn stat(process: Pid, index: usize) -> Option<Pid> {
    let mut start = [0; STAT_BYTES];
    let read = File::open(format!("/proc/{process}/stat")).ok()?.read(&mut start).ok()?;
    let start = start.get(..read)?;
    // The name in brackets before these fields may hold anything.
    let (_, fields) = start.split_at(memrchr(b')', start)? + 1);
    pid(str::from_utf8(fields).ok()?.split_ascii_whitespace().nth(index)?)
}
