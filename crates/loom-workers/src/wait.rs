//! Waiting for children of this process, and what they have used.
//!
//! The one place where the system is asked for the resources of a single child: no safe interface
//! offers that.
#![expect(unsafe_code, reason = "`wait4` and `getrusage` have no safe form")]

use std::io;
use std::mem::zeroed;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Pid;

use crate::runner::{Exit, Usage};

/// Reaps a child of this process that has exited. `None` if it has not.
pub(crate) fn reap(child: Pid) -> io::Result<Option<Exit>> {
    let mut status = 0;
    // SAFETY: numbers for which all zeros is a value.
    let mut used: libc::rusage = unsafe { zeroed() };
    // SAFETY: both pointers lead to values that live until the call is over.
    let found = unsafe {
        libc::wait4(child.as_raw_nonzero().get(), &raw mut status, libc::WNOHANG, &raw mut used)
    };
    match found {
        0 => Ok(None),
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(Some(exit(ExitStatus::from_raw(status)).used(usage(&used)))),
    }
}

fn exit(status: ExitStatus) -> Exit {
    let signal = || Exit::signal(status.signal().unwrap_or_default());
    status.code().map_or_else(signal, Exit::code).core_dumped(status.core_dumped())
}

fn usage(used: &libc::rusage) -> Usage {
    let peak = bytes(used.ru_maxrss);
    Usage {
        user: duration(used.ru_utime),
        system: duration(used.ru_stime),
        // A child begins with the memory of its starter, and the system counts that in.
        peak_memory_bytes: (peak > own_peak()).then_some(peak),
    }
}

/// The most memory that this process has held, in bytes.
fn own_peak() -> u64 {
    // SAFETY: numbers for which all zeros is a value.
    let mut used: libc::rusage = unsafe { zeroed() };
    // SAFETY: the pointer leads to a value that lives until the call is over.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut used) };
    bytes(used.ru_maxrss)
}

/// Apple's systems count in bytes, the others in units of 1,024.
fn bytes(peak: libc::c_long) -> u64 {
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    u64::try_from(peak).unwrap_or_default().saturating_mul(unit)
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let micros = u64::try_from(time.tv_usec).unwrap_or_default();
    Duration::from_secs(seconds).saturating_add(Duration::from_micros(micros))
}
