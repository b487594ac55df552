//! Who of an animal is still alive, found by the tracks in its den.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::zoo::den::Den;
use crate::zoo::proc::{self, Handle, Process};

/// How long killed processes may take to be gone before it is looked for others.
const KILL_WAIT: Duration = Duration::from_millis(200);
/// How often is looked for processes to kill.
const KILL_ROUNDS_MAX: u32 = 200;

/// The processes of the den that have not ended.
///
/// # Errors
/// If the den cannot be read, or if somebody lives there who cannot be found.
pub fn find(den: &Den) -> io::Result<Vec<Process>> {
    // Asked first: who holds the lock has left the other tracks before.
    let is_inhabited = den.is_inhabited()?;
    let tracked = den.entered()?.into_iter().filter(Process::is_alive);
    let seen = proc::all().into_iter().filter(|pid| is_of(*pid, den.path()));
    let found: BTreeSet<Process> = tracked.chain(seen.filter_map(Process::of)).collect();
    if found.is_empty() && is_inhabited && den.is_inhabited()? {
        return Err(io::Error::other("somebody lives in the den who left no other track"));
    }
    Ok(found.into_iter().collect())
}

/// Whether a process has the den in its arguments or works there.
fn is_of(pid: u32, den: &Path) -> bool {
    if pid == std::process::id() {
        return false;
    }
    let path = den.as_os_str().as_bytes();
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let is_named = words.split(|byte| *byte == 0).any(|word| word == path);
    is_named || fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == den)
}

/// Waits until nobody of the den is alive, at most for `limit`. Returns who is.
///
/// # Errors
/// As [`find`].
pub fn wait_for_none(den: &Den, limit: Duration) -> io::Result<Vec<Process>> {
    let started = Instant::now();
    loop {
        let found = find(den)?;
        let left = limit.saturating_sub(started.elapsed());
        let Some(first) = found.first() else { return Ok(found) };
        if left.is_zero() {
            return Ok(found);
        }
        // One after the other: all have to end.
        let _ = first.handle().is_none_or(|handle| handle.ends_within(left));
    }
}

/// Kills everybody of the den.
///
/// # Errors
/// As [`find`], and if somebody cannot be killed.
pub fn kill(den: &Den) -> io::Result<()> {
    for _ in 0..KILL_ROUNDS_MAX {
        let found = find(den)?;
        if found.is_empty() {
            return Ok(());
        }
        let handles: Vec<Handle> = found.iter().filter_map(Process::handle).collect();
        // Stopped before any is killed: there are some that start each other anew.
        handles.iter().for_each(|handle| handle.send(Signal::STOP));
        handles.iter().for_each(|handle| handle.send(Signal::KILL));
        for handle in &handles {
            let _ = handle.ends_within(KILL_WAIT);
        }
    }
    Err(io::Error::other(format!("somebody in {} cannot be killed", den.path().display())))
}
