//! Starting a supervisor and its command.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Child;
use std::time::Instant;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::client::{Held, Supervised, Supervisor};
use crate::error::StartError;
use crate::host::Program;
use crate::identity::Identity;
use crate::limits::HANDSHAKE_WAIT;
use crate::protocol::{Refusal, Reply, Request, Step, VERSION, nonce};
use crate::spec::{Parcel, Spec};
use crate::wire::{Inbox, encode, send};

/// Runs `program` as a supervisor and has it start the command.
///
/// Blocks until the command was started, which takes a few milliseconds, and a bounded time at the
/// worst.
///
/// # Errors
/// [`StartError`]; nothing of the command runs then.
pub fn start(program: &Program, spec: Spec) -> Result<Supervised, StartError> {
    // What is wrong with the command itself is found out before anything is run.
    let order = (Names::of(&spec), spec.into_parcel()?);
    prepare(program)?.order(order)
}

/// Runs `program` as a supervisor that waits for its command.
///
/// Starting a command takes then little longer than without a supervisor. The limits, the mask of new
/// files and the control group that the command gets are those of this process now.
///
/// # Errors
/// [`StartError`].
pub fn prepare(program: &Program) -> Result<Prepared, StartError> {
    let (own, theirs) = UnixStream::pair().map_err(StartError::Kernel)?;
    let mut link = Link { stream: own, inbox: Inbox::default() };
    let mut child = program.spawn(OwnedFd::from(theirs))?;
    let identity = match link.greet(program) {
        Ok(identity) => identity,
        Err(failed) => return Err(rejected(failed, &mut child)),
    };
    // The child has not been reaped, so the id is its own.
    let handle = pid(&child).and_then(|pid| Ok(pidfd_open(pid, PidfdFlags::empty())?));
    let handle = handle.map_err(|error| rejected(StartError::Kernel(error), &mut child))?;
    Ok(Prepared { link, supervisor: Supervisor { identity, handle, child: Some(child) } })
}

/// A supervisor that has no command yet. Dropped, it ends.
#[derive(Debug)]
pub struct Prepared {
    link: Link,
    supervisor: Supervisor,
}

impl Prepared {
    /// The supervisor.
    #[must_use]
    pub const fn supervisor(&self) -> &Identity {
        &self.supervisor.identity
    }

    /// Has the supervisor start its command. Blocks as [`start`] does.
    ///
    /// # Errors
    /// [`StartError`]; nothing of the command runs then.
    pub fn start(self, spec: Spec) -> Result<Supervised, StartError> {
        self.order((Names::of(&spec), spec.into_parcel()?))
    }

    fn order(mut self, (names, parcel): (Names, Parcel)) -> Result<Supervised, StartError> {
        let survives = names.directory.is_some();
        let ordered = self.link.order(&names, parcel);
        let Link { stream, inbox } = self.link;
        match ordered {
            Ok(command) => {
                let held = Held { supervisor: self.supervisor, command, survives };
                Ok(Supervised::new(stream, inbox, held))
            }
            // It may be about to start the command, and has to end it itself.
            Err(failed @ StartError::Late(_)) => {
                let command = self.supervisor.identity.clone();
                let held = Held { supervisor: self.supervisor, command, survives };
                let _ = Supervised::new(stream, inbox, held).kill();
                Err(failed)
            }
            Err(failed) => match self.supervisor.child.take() {
                Some(mut child) => Err(rejected(failed, &mut child)),
                None => Err(failed),
            },
        }
    }
}

/// What errors speak of.
struct Names {
    program: std::ffi::OsString,
    cwd: PathBuf,
    directory: Option<PathBuf>,
}

impl Names {
    fn of(spec: &Spec) -> Self {
        Self {
            program: spec.program.clone(),
            cwd: spec.cwd.clone().unwrap_or_else(|| PathBuf::from(".")),
            directory: spec.survival.as_ref().map(|survival| survival.directory.clone()),
        }
    }
}

/// A connection to what may be a supervisor.
#[derive(Debug)]
struct Link {
    stream: UnixStream,
    inbox: Inbox,
}

impl Link {
    /// Has it prove that it is one, before it learns anything.
    fn greet(&mut self, program: &Program) -> Result<Identity, StartError> {
        let deadline = Instant::now() + HANDSHAKE_WAIT;
        let no_supervisor = |error: io::Error| StartError::NoSupervisor {
            program: program.path().to_owned(),
            reason: reason(&error),
        };
        let nonce = nonce().map_err(StartError::Kernel)?;
        let hello = Request::Hello { version: VERSION, nonce: nonce.clone() };
        let hello = encode(&hello, &[]).map_err(no_supervisor)?;
        send(&self.stream, &hello, &[], deadline).map_err(no_supervisor)?;
        let (reply, _) = self.inbox.wait(&self.stream, Some(deadline)).map_err(no_supervisor)?;
        match reply {
            Reply::Hi { version, nonce: returned, supervisor, .. } if returned == nonce => {
                check_version(version, program).map(|()| supervisor)
            }
            // It has not heard of a command yet, so it is the system that lacks something.
            Reply::Refused(refusal) => Err(StartError::Kernel(refusal.into_error())),
            _ => Err(no_supervisor(io::Error::other("it gave a wrong answer"))),
        }
    }

    fn order(&mut self, names: &Names, parcel: Parcel) -> Result<Identity, StartError> {
        let deadline = Instant::now() + HANDSHAKE_WAIT;
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::TimedOut => StartError::Late(HANDSHAKE_WAIT),
            _ => StartError::Lost(error),
        };
        let order = encode(&Request::Start(parcel.outline), &parcel.texts).map_err(failed)?;
        let files: Vec<_> = parcel.files.iter().map(AsFd::as_fd).collect();
        send(&self.stream, &order, &files, deadline).map_err(failed)?;
        let (reply, _) = self.inbox.wait(&self.stream, Some(deadline)).map_err(failed)?;
        match reply {
            Reply::Started { command } => Ok(command),
            Reply::Refused(refusal) => Err(refused(refusal, names)),
            _ => Err(failed(io::Error::other("it gave a wrong answer"))),
        }
    }
}

fn check_version(found: u32, program: &Program) -> Result<(), StartError> {
    if found == VERSION {
        return Ok(());
    }
    Err(StartError::Version { program: program.path().to_owned(), found, wanted: VERSION })
}

/// Ends what was started, and says how it ended if it did that by itself.
fn rejected(failed: StartError, child: &mut Child) -> StartError {
    let ended = child.try_wait();
    // Fails if it has ended; and if nobody lets us wait for it, there is nothing to clean up.
    let _ = child.kill();
    let _ = child.wait();
    match (failed, ended) {
        (StartError::NoSupervisor { program, reason }, Ok(Some(status))) => {
            StartError::NoSupervisor { program, reason: format!("{reason} ({status})") }
        }
        (failed, _) => failed,
    }
}

fn refused(refusal: Refusal, names: &Names) -> StartError {
    let what = refusal.what;
    let source = refusal.into_error();
    match what {
        Step::Kernel => StartError::Kernel(source),
        Step::Directory => {
            StartError::Directory { path: names.directory.clone().unwrap_or_default(), source }
        }
        Step::Cwd => StartError::Cwd { path: names.cwd.clone(), source },
        Step::Command => StartError::Command { program: names.program.clone(), source },
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => format!("it did not answer within {HANDSHAKE_WAIT:?}"),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => {
            "it ended without an answer".to_owned()
        }
        _ => error.to_string(),
    }
}

fn pid(child: &Child) -> io::Result<Pid> {
    let raw = child.id().try_into().ok().and_then(Pid::from_raw);
    raw.ok_or_else(|| io::Error::other("it has no process id"))
}
