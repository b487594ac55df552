//! A small process that owns one command, so that nothing the command starts gets away.
//!
//! A [`Spec`] says what to run, a [`Program`] what the supervisor is: a binary that is named, or the
//! running program itself if it calls [`supervisor_main`] first thing in `main`. [`start`] runs the
//! supervisor, lets it prove that it is one, and has it start the command. [`Supervised`] is the
//! hold on both; a [`Report`] says what became of them. Where the start has to be quick, [`prepare`]
//! has a supervisor ready beforehand.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use loom_supervisor::{Program, Spec, start};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! loom_supervisor::supervisor_main(); // Returns at once unless this process is to supervise.
//!
//! let spec = Spec::new("make").arg("test").inherit_env().grace(Duration::from_secs(5));
//! let mut command = start(&Program::host()?, spec)?;
//! let report = command.wait(None)?;
//! assert!(report.is_some_and(|report| report.survivors == 0));
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//!
//! - When the leader, which is the process that the command was started as, has exited, when
//!   [`Supervised::end`] asks for it, and when the one who holds [`Supervised`] dies or drops it,
//!   every process that descends from the leader is ended: `SIGTERM` (and `SIGCONT`, for those that
//!   are stopped), and `SIGKILL` after the grace. The supervisor is the reaper of all orphans among
//!   them (`PR_SET_CHILD_SUBREAPER`), so neither a new session nor a double fork helps, and it goes
//!   on until the system says that it has no child left. Only then it reports.
//! - Ids of processes that passed to strangers are never signalled.
//! - The command finds three open files, no blocked or ignored signal, no controlling terminal, a
//!   process group of its own, and the environment that the [`Spec`] spells out, nothing more.
//! - The supervisor has a session of its own: neither Ctrl-C nor a closed terminal reaches it.
//! - A program is started as a supervisor only if it was named, or if it has called
//!   [`supervisor_main`]. What was named has to answer a greeting with a number that nobody can
//!   guess, in a bounded time, before it learns anything about the command.
//!
//! # Commands that survive
//!
//! With [`Spec::survive`] the end of the starter does not end the command. The supervisor writes
//! what it prints to files in a directory, and at last a file that says what became of it. Whoever
//! comes later calls [`adopt`]: it finds the command running, and takes hold of it, or reads how it
//! has ended. Once it has said that the command is lost, a supervisor that was only about to start
//! it will not do so. The files, each of mode 0600:
//!
//! | file | what it holds |
//! |---|---|
//! | `stdout`, `stderr` | exactly how the output began, append-only, up to the cap; the rest is counted |
//! | `state.json` | who supervises and what the command runs as: process id, start time, boot id |
//! | `status.json` | the [`Report`]; it appears whole, by a rename, when everything has ended |
//! | `socket` | where adopters speak to the supervisor |
//! | `lock` | held for as long as the supervisor lives; the kernel frees it |
//!
//! The output is flushed to the disk once, before `status.json` is, which is flushed itself, with the
//! directory. In between nothing is flushed: what was written survives the death of every process,
//! and a power cut ends the command as well.
//!
//! # What is missed
//!
//! - What the command has others start (a service manager, `at`, `docker`) is no descendant.
//! - Processes that may not be signalled, as of a set-user-id program, and those that hang in the
//!   kernel. They are counted in [`Report::survivors`] after a bounded wait.
//! - A supervisor that is killed itself (`SIGKILL`, out of memory) ends nothing any more: its
//!   children pass to the next reaper above. Find them by the environment they were given, so put a
//!   mark there. `PR_SET_PDEATHSIG` would not help: it fires at the death of the parent's thread, is
//!   lost by those who fork, and reaches the leader alone.
//! - A command that survives is still in the control group of its starter, and among the descendants
//!   of any supervisor above it: a service manager that stops the whole group ends it
//!   (`KillMode=process` prevents it), and so do a container's end and a reboot.
//! - Use of memory and processor by those that survived a supervisor giving up.
//!
//! # Systems
//!
//! Linux 5.3 or newer with `/proc`, built with `CONFIG_PROC_CHILDREN`, as those of distributions are;
//! what is missing is said by [`StartError::Kernel`]. Elsewhere there is only [`supervisor_main`],
//! which does nothing.

#![forbid(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

#[cfg(target_os = "linux")]
mod adopt;
#[cfg(target_os = "linux")]
mod client;
#[cfg(target_os = "linux")]
mod directory;
#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod host;
#[cfg(target_os = "linux")]
mod identity;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod proc;
#[cfg(target_os = "linux")]
mod protocol;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod serve;
#[cfg(target_os = "linux")]
mod spec;
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod wire;

#[cfg(target_os = "linux")]
pub use self::{
    adopt::{Adopted, Lost, adopt},
    client::{Event, Supervised},
    directory::{STATE_FILE, STATUS_FILE, STDERR_FILE, STDOUT_FILE},
    error::{AdoptError, LostError, StartError},
    host::{Program, supervisor_main},
    identity::{Identity, Standing, boot_id},
    limits::{ADOPT_WAIT, COMMAND_BYTES_MAX, HANDSHAKE_WAIT, KILL_WAIT, TERM_GRACE},
    report::{Outcome, Printed, Report, State, Usage},
    spec::{Input, Spec},
    start::{Prepared, prepare, start},
};

/// Does nothing: there are supervisors on Linux alone.
#[cfg(not(target_os = "linux"))]
pub fn supervisor_main() {}
