//! What can be a supervisor.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::net::{AddressFamily, sockopt};

use crate::error::StartError;
use crate::protocol::ARGUMENT;
use crate::serve;

/// Whether this program becomes a supervisor when it is asked to.
static IS_HOST: AtomicBool = AtomicBool::new(false);

/// The one variable that a supervisor keeps: a program may need it to be loaded at all.
const LOADER_PATH: &str = "LD_LIBRARY_PATH";

/// The name that a supervisor goes by in lists of processes.
pub(crate) const NAME: &str = "loom-supervisor";

/// Makes this program able to be its own supervisor: call it first thing in `main`.
///
/// If this process was started as a supervisor, it takes over and never returns. Else it returns at
/// once, and [`Program::host`] works from then on.
///
/// Nothing should be opened, and no thread started, before it is called.
pub fn supervisor_main() {
    if let Some(control) = control() {
        let code = serve::serve(control);
        #[expect(clippy::disallowed_methods, reason = "the host's main must not go on")]
        std::process::exit(code);
    }
    IS_HOST.store(true, Ordering::Release);
}

/// Where the one who started this process speaks to it, if it is to be a supervisor.
fn control() -> Option<UnixStream> {
    let mut args = env::args_os().skip(1);
    if args.next().as_deref() != Some(OsStr::new(ARGUMENT)) || args.next().is_some() {
        return None;
    }
    let stdin = io::stdin();
    let domain = sockopt::socket_domain(&stdin).ok()?;
    // Close-on-exec, unlike standard input itself, which the command gets another of.
    let control = || stdin.as_fd().try_clone_to_owned().ok().map(UnixStream::from);
    (domain == AddressFamily::UNIX).then(control).flatten()
}

/// A program that can be run as a supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
    mark: Option<(OsString, OsString)>,
}

impl Program {
    /// The program at `path`: `loom-supervisor`, or any that calls [`supervisor_main`] first.
    ///
    /// It is started with one argument and an environment that is empty but for its
    /// [`mark`](Self::mark), and killed if it does not prove that it is a supervisor.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), mark: None }
    }

    /// The running program, also if its file has been replaced or removed meanwhile.
    ///
    /// # Errors
    /// [`StartError::NotAHost`] if it has not called [`supervisor_main`].
    pub fn host() -> Result<Self, StartError> {
        if !IS_HOST.load(Ordering::Acquire) {
            return Err(StartError::NotAHost);
        }
        Ok(Self::at("/proc/self/exe"))
    }

    /// Puts a variable into the environment of the supervisor itself, for others to find it by. The
    /// command does not get it.
    #[must_use]
    pub fn mark(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.mark = Some((name.into(), value.into()));
        self
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs it with `control` as its standard input.
    pub(crate) fn spawn(&self, control: OwnedFd) -> Result<Child, StartError> {
        let mut command = Command::new(&self.path);
        command.arg0(NAME).arg(ARGUMENT).env_clear();
        if let Some((name, value)) = &self.mark {
            command.env(name, value);
        }
        if let Some(path) = env::var_os(LOADER_PATH) {
            command.env(LOADER_PATH, path);
        }
        command.stdin(control).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map_err(|source| StartError::Program { program: self.path.clone(), source })
    }
}
