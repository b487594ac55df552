//! Which process is meant, beyond its id.

use std::fs;
use std::io;

use rustix::process::{Pid, getpid};
use serde::{Deserialize, Serialize};

use crate::proc;

/// One process among all that there ever were on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// Its id, as long as it lives. Later another process may have it.
    pub pid: i32,
    /// When it was started, in ticks of the system since the boot.
    pub start_time: u64,
    /// The boot of the machine.
    pub boot_id: String,
    /// The namespace that the id belongs to; 0 if the system does not tell.
    pub pid_namespace: u64,
}

/// Where a process stands, seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// It lives.
    Alive,
    /// It has ended. Its id may be that of another process.
    Gone,
    /// It belongs to another namespace of process ids, as of another container: from here nobody can
    /// tell.
    Elsewhere,
}

impl Identity {
    /// That of this process.
    pub(crate) fn own() -> io::Result<Self> {
        Self::of(getpid())
    }

    /// That of a process that cannot pass away meanwhile.
    pub(crate) fn of(pid: Pid) -> io::Result<Self> {
        let gone = || io::Error::other(format!("there is no process {pid}"));
        let stat = proc::stat(pid).ok_or_else(gone)?;
        Ok(Self {
            pid: pid.as_raw_nonzero().get(),
            start_time: stat.start_time,
            boot_id: boot_id()?,
            pid_namespace: pid_namespace(),
        })
    }

    /// Where the process stands now.
    ///
    /// # Errors
    /// If the system does not tell which boot this is.
    pub fn standing(&self) -> io::Result<Standing> {
        if self.boot_id != boot_id()? {
            return Ok(Standing::Gone);
        }
        if self.pid_namespace != pid_namespace() {
            return Ok(Standing::Elsewhere);
        }
        let stat = self.process().and_then(proc::stat);
        let lives = stat.is_some_and(|now| now.start_time == self.start_time && !now.has_ended);
        Ok(if lives { Standing::Alive } else { Standing::Gone })
    }

    pub(crate) fn process(&self) -> Option<Pid> {
        Some(self.pid).filter(|pid| *pid > 0).and_then(Pid::from_raw)
    }
}

/// Which boot of the machine this is.
///
/// # Errors
/// If the system does not tell.
pub fn boot_id() -> io::Result<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned())
}

fn pid_namespace() -> u64 {
    let link = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let link = link.to_string_lossy();
    let number = link.strip_prefix("pid:[").and_then(|rest| rest.strip_suffix(']'));
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}
