//! What the system says of processes, in `/proc`.

use std::fs;
use std::io;

use rustix::process::{Pid, RawPid};

/// Whether this system tells who a process's children are.
pub(crate) fn check() -> io::Result<()> {
    fs::read("/proc/thread-self/children").map(drop)
}

/// What there is to know of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Nothing, if it is out of sight.
    pub(crate) parent: Option<Pid>,
    /// In ticks of the system since its boot.
    pub(crate) start_time: u64,
    pub(crate) has_ended: bool,
}

/// Nothing, if there is no such process.
pub(crate) fn stat(pid: Pid) -> Option<Stat> {
    parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_stat(bytes: &[u8]) -> Option<Stat> {
    // The name in brackets before these fields may hold anything.
    let name_ends = bytes.iter().rposition(|byte| *byte == b')')?;
    let fields = str::from_utf8(bytes.get(name_ends + 1..)?).ok()?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = pid(fields.next()?);
    // The 22nd field of the line; the parent is the fourth.
    let start_time = fields.nth(17)?.parse().ok()?;
    Some(Stat { parent, start_time, has_ended: matches!(state, "Z" | "X") })
}

/// The children of one process, those of all its threads. Incomplete if some of them end meanwhile.
pub(crate) fn children(parent: Pid) -> Vec<Pid> {
    let threads = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_ascii_whitespace().filter_map(pid).collect::<Vec<_>>())
        .collect()
}

/// The signals that this process ignores, as a set of bits; that of signal 1 is the lowest.
pub(crate) fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or_default()
}

/// The numbers of the open files of this process.
pub(crate) fn open_files() -> io::Result<Vec<i32>> {
    let entries = fs::read_dir("/proc/self/fd")?.flatten();
    // Collected before any is closed: the directory that is read is among them.
    Ok(entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// Of what is about to disappear the system writes -1, of what is out of sight 0.
fn pid(text: &str) -> Option<Pid> {
    text.parse::<RawPid>().ok().filter(|raw| *raw > 0).and_then(Pid::from_raw)
}
