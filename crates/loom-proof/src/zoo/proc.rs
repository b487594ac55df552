//! What the system says of processes, in `/proc`.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process, told apart from others that had its id or will have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// When it started, in ticks since the boot.
    pub start_time: u64,
}

impl Process {
    /// The running process.
    ///
    /// # Errors
    /// If the system does not say when it started.
    pub fn me() -> io::Result<Self> {
        Self::of(std::process::id()).ok_or_else(|| io::Error::other("/proc does not know me"))
    }

    /// The process that has this id now and has not ended.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let stat = Stat::of(pid).filter(|stat| !stat.has_ended())?;
        Some(Self { pid, start_time: stat.start_time })
    }

    /// Reads what was written as `pid start_time`.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (pid, start_time) = line.split_once(' ')?;
        Some(Self { pid: pid.parse().ok()?, start_time: start_time.parse().ok()? })
    }

    /// Whether it has not ended. One that nobody has reaped has.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid) == Some(*self)
    }

    /// What it goes by, as far as the system says.
    #[must_use]
    pub fn shown(&self) -> String {
        let state = Stat::of(self.pid).map_or('?', |stat| stat.state);
        let words = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let words: Vec<_> = words.split(|b| *b == 0).map(String::from_utf8_lossy).collect();
        let text: String = words.join(" ").chars().take(SHOWN_CHARS_MAX).collect();
        format!("{} {state} {}", self.pid, text.trim())
    }

    /// A handle on it, if it lives.
    #[must_use]
    pub fn handle(&self) -> Option<Handle> {
        let pid = Pid::from_raw(self.pid.try_into().ok()?)?;
        let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        // Looked at only now: the id may have passed to a stranger before.
        self.is_alive().then_some(Handle(handle))
    }
}

/// More of a command line is not shown.
const SHOWN_CHARS_MAX: usize = 120;

/// A handle on a process, which means no other after its end.
#[derive(Debug)]
pub struct Handle(OwnedFd);

impl Handle {
    /// Sends a signal, if it has not ended.
    pub fn send(&self, signal: Signal) {
        // Fails if it has ended, and then there is nothing to do.
        let _ = pidfd_send_signal(&self.0, signal);
    }

    /// Waits until it has ended, at most for `limit`. Whether it has.
    #[must_use]
    pub fn ends_within(&self, limit: Duration) -> bool {
        let mut handles = [PollFd::new(&self.0, PollFlags::IN)];
        let limit = Timespec::try_from(limit).unwrap_or_default();
        poll(&mut handles, Some(&limit)).is_ok_and(|ready| ready > 0)
    }
}

/// What there is to know of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// A letter.
    pub state: char,
    /// The id of its parent.
    pub parent: u32,
    /// In ticks since the boot.
    pub start_time: u64,
}

impl Stat {
    /// Nothing, if there is no such process.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Reads a line as it stands in `/proc/PID/stat`.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        // The name in brackets before these fields may hold anything.
        let name_end = line.iter().rposition(|byte| *byte == b')')?;
        let fields = str::from_utf8(line.get(name_end + 1..)?).ok()?;
        let mut fields = fields.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        // The 22nd field of the line; the parent is the fourth.
        let start_time = fields.nth(17)?.parse().ok()?;
        Some(Self { state, parent, start_time })
    }

    /// Whether only its entry is left.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// The ids of all processes.
#[must_use]
pub fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// What a process holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Open files.
    pub files: usize,
    /// Threads.
    pub threads: usize,
    /// Children, zombies among them.
    pub children: usize,
    /// Children that have ended and that nobody has reaped.
    pub zombies: usize,
    /// Resident memory, in KiB.
    pub memory_kib: u64,
}

impl Holdings {
    /// Whether the counts are the same, whatever the memory.
    #[must_use]
    pub const fn resembles(&self, other: &Self) -> bool {
        self.files == other.files
            && self.threads == other.threads
            && self.children == other.children
            && self.zombies == other.zombies
    }

    /// What the process of this id holds. Incomplete if it ends meanwhile.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        let children: Vec<Stat> =
            all().into_iter().filter_map(Stat::of).filter(|stat| stat.parent == pid).collect();
        Self {
            files: entries(pid, "fd"),
            threads: entries(pid, "task"),
            children: children.len(),
            zombies: children.iter().filter(|stat| stat.has_ended()).count(),
            memory_kib: memory_kib(pid, "VmRSS:"),
        }
    }
}

fn entries(pid: u32, directory: &str) -> usize {
    fs::read_dir(format!("/proc/{pid}/{directory}")).map_or(0, Iterator::count)
}

/// One of the numbers that the system keeps about a process's memory, such as `VmHWM:`.
#[must_use]
pub fn memory_kib(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}
