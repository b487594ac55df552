//! Commands under a supervisor: a small process that adopts all that its command leaves behind.
//!
//! It ends everything when its command has ended, when it is told to, and when this process dies.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::Duration;

use loom_core::TaskId;
use loom_supervisor::{
    Event, Input, Outcome, Prepared, Program, Report, Spec, StartError, Supervised as Link, prepare,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::launch::Image;
use crate::process::SUPERVISOR_VARIABLE;
use crate::runner::{Exit, Usage};
use crate::start_error::is_short;
use crate::tree_mode::{TreeMode, TreeUnavailable};

const UNKNOWN: &str = "no supervisor is known here; call `loom::supervisor_main()` first in `main`, \
                       or name the binary with `ProcessRunner::supervisor`";

/// Whether there is a program that may be run as a supervisor. It is not run.
pub(crate) fn can_supervise(named: Option<&Path>) -> Result<(), String> {
    program(named).map(drop)
}

/// Has a supervisor ready for a command of `task`. Blocks until it is, for a bounded time.
pub(crate) fn supervise(
    named: Option<&Path>,
    task: &TaskId,
) -> Result<Supervisor, TreeUnavailable> {
    let unavailable = |why| TreeUnavailable::new(TreeMode::Supervisor, why);
    let program = program(named).map_err(unavailable)?;
    let ready = prepare(&program.mark(SUPERVISOR_VARIABLE, task.as_str()));
    ready.map(Supervisor).map_err(|error| {
        let may_pass = matches!(&error, StartError::Program { source, .. } if is_short(source));
        unavailable(with_source(&error)).may_pass(may_pass)
    })
}

/// What was named, or the running program if it has said that it can be its own supervisor.
fn program(named: Option<&Path>) -> Result<Program, String> {
    match named {
        Some(path) => Ok(Program::at(path)),
        None => Program::host().map_err(|_| UNKNOWN.to_owned()),
    }
}

fn with_source(error: &StartError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// A supervisor that has no command yet. Dropped, it ends.
#[derive(Debug)]
pub(crate) struct Supervisor(Prepared);

impl Supervisor {
    /// Has it start `image`. `grace` is for what is left when the leader has ended by itself.
    ///
    /// Blocks until the command was started, for a bounded time. Needs a runtime.
    ///
    /// # Errors
    /// What stood against it. Nothing of it runs then.
    pub(crate) fn launch(self, image: Image, grace: Duration) -> io::Result<Supervised> {
        let link = self.0.start(spec(image).grace(grace)).map_err(into_source)?;
        Ok(Supervised { link: followed(link)?, is_over: false })
    }
}

fn spec(image: Image) -> Spec {
    let text = |text: CString| OsString::from_vec(text.into_bytes());
    let mut argv = image.argv.into_iter().map(text);
    let mut spec = Spec::new(text(image.path));
    if let Some(name) = argv.next() {
        spec = spec.arg0(name);
    }
    spec = spec.args(argv);
    for entry in image.envp {
        let entry = entry.as_bytes();
        let end = entry.iter().position(|byte| *byte == b'=').unwrap_or(entry.len());
        let (name, value) = entry.split_at(end);
        let value = value.strip_prefix(b"=").unwrap_or_default();
        spec = spec.env(OsStr::from_bytes(name), OsStr::from_bytes(value));
    }
    if let Some(cwd) = image.cwd {
        spec = spec.cwd(text(cwd));
    }
    let [stdin, stdout, stderr] = image.files;
    spec.stdin(Input::File(stdin)).stdout(stdout).stderr(stderr)
}

/// What the system had against it, so that it reads as in every other mode.
fn into_source(error: StartError) -> io::Error {
    match error {
        StartError::Command { source, .. }
        | StartError::Cwd { source, .. }
        | StartError::Kernel(source) => source,
        StartError::Late(_) => io::Error::new(io::ErrorKind::TimedOut, error),
        other => io::Error::other(other),
    }
}

#[expect(
    deprecated,
    reason = "a connection that is owned stays the same file, so the safe form is sound"
)]
fn followed(link: Link) -> io::Result<AsyncFd<Link>> {
    AsyncFd::with_interest(link, Interest::READABLE)
}

/// A command under a supervisor. Dropped before its end was told, it is killed with all that it
/// started.
#[derive(Debug)]
pub(crate) struct Supervised {
    link: AsyncFd<Link>,
    is_over: bool,
}

impl Supervised {
    /// Returns when the command and all that it started has ended. Cancel safe.
    ///
    /// # Errors
    /// The supervisor was lost: the command may still run.
    pub(crate) async fn ended(&mut self) -> io::Result<Exit> {
        loop {
            match self.link.get_mut().try_next().map_err(io::Error::other)? {
                Some(Event::Ended(report)) => {
                    self.is_over = true;
                    return exit(&report);
                }
                Some(_) => {}
                None => self.link.readable().await?.clear_ready(),
            }
        }
    }

    /// Has all processes asked to end, and killed after `grace`.
    pub(crate) fn end(&self, grace: Duration) {
        // Fails if the supervisor is gone, which whoever waits for it is told.
        let _ = self.link.get_ref().end(grace);
    }

    /// Gives a supervisor up that does not answer.
    pub(crate) fn abandon(&self) {
        self.link.get_ref().abandon();
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        if !self.is_over {
            self.end(Duration::ZERO);
        }
    }
}

fn exit(report: &Report) -> io::Result<Exit> {
    let exit = match report.outcome {
        Outcome::Exited { code } => Exit::code(code),
        Outcome::Signaled { signal, core_dumped } => Exit::signal(signal).core_dumped(core_dumped),
        _ => return Err(io::Error::other("the command could not be killed")),
    };
    let used = report.usage;
    let peak = used.peak_rss_bytes;
    let usage = Usage {
        user: used.user,
        system: used.system,
        // A child begins with the memory of its starter, and the system counts that in.
        peak_memory_bytes: (peak > used.own_peak_rss_bytes).then_some(peak),
    };
    Ok(exit.stopped(report.stopped).used(usage))
}
