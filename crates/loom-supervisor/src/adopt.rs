//! Finding a command again that has survived the one who started it.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use rustix::event::poll;
use rustix::net::sockopt::socket_peercred;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::client::{Held, Supervised, Supervisor};
use crate::directory::{Directory, STATUS_FILE};
use crate::error::AdoptError;
use crate::identity::{Identity, Standing};
use crate::limits::{ADOPT_INTERVAL, ADOPT_WAIT};
use crate::protocol::{Reply, Request, VERSION, nonce};
use crate::report::Report;
use crate::wire::{Inbox, encode, send, timespec};

/// What became of a command that was to survive.
#[derive(Debug)]
#[non_exhaustive]
pub enum Adopted {
    /// It runs, and this is a hold on it. Several may hold it at a time.
    Running(Box<Supervised>),
    /// It has ended.
    Ended(Report),
    /// Its supervisor is gone without having said, or never started it. From now on nobody will.
    Lost(Lost),
}

/// What is known of a command that is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lost {
    /// What the command's leader was. If there is none, and the machine has not been booted since,
    /// the command was never started.
    ///
    /// It may still run, with everything that it started: killing the supervisor kills nothing else.
    pub command: Option<Identity>,
}

/// Looks for the command that was started to survive in `directory`.
///
/// A supervisor counts as living while it holds its lock, and is spoken to only if the process at the
/// other end of its socket is the one that the files name: by id, start time and boot.
///
/// Blocks for less than a millisecond as a rule, and a bounded time while a supervisor is just
/// starting or just ending.
///
/// # Errors
/// If the directory cannot be used, or the one who supervises is out of reach.
pub fn adopt(directory: impl AsRef<Path>) -> Result<Adopted, AdoptError> {
    let path = directory.as_ref();
    let unusable = |source| AdoptError::Directory { path: path.to_owned(), source };
    let directory = Directory::open(path).map_err(unusable)?;
    let deadline = Instant::now() + ADOPT_WAIT;
    loop {
        let pending = match look(&directory)? {
            Looked::Done(adopted) => return Ok(adopted),
            Looked::Pending(why) => why,
        };
        if Instant::now() >= deadline {
            return Err(pending);
        }
        // An interrupted pause is only shorter.
        let _ = poll(&mut [], Some(&timespec(ADOPT_INTERVAL)));
    }
}

enum Looked {
    Done(Adopted),
    /// It may be otherwise in a moment.
    Pending(AdoptError),
}

fn look(directory: &Directory) -> Result<Looked, AdoptError> {
    let unusable = |source| AdoptError::Directory { path: directory.path.clone(), source };
    if let Some(report) = report(directory)? {
        return Ok(Looked::Done(Adopted::Ended(report)));
    }
    let Some(mut lock) = directory.lock().map_err(unusable)? else {
        return join(directory);
    };
    // The supervisor may have ended since the first look. If it has not, it never comes.
    if let Some(report) = report(directory)? {
        return Ok(Looked::Done(Adopted::Ended(report)));
    }
    lock.mark().map_err(unusable)?;
    let names = directory.names().map_err(unusable)?;
    let command = names.and_then(|names| names.command);
    Ok(Looked::Done(Adopted::Lost(Lost { command })))
}

fn report(directory: &Directory) -> Result<Option<Report>, AdoptError> {
    let unreadable =
        |source| AdoptError::Unreadable { path: directory.path.join(STATUS_FILE), source };
    directory.report().map_err(unreadable)
}

/// Takes hold of a supervisor that lives.
fn join(directory: &Directory) -> Result<Looked, AdoptError> {
    let path = || directory.path.clone();
    let silent = |source| Ok(Looked::Pending(AdoptError::Silent { path: path(), source }));
    let unusable = |source| AdoptError::Directory { path: path(), source };
    let Some(names) = directory.names().map_err(unusable)? else {
        return silent(io::ErrorKind::NotFound.into());
    };
    let supervisor = names.supervisor;
    let pid = supervisor.process();
    let handle = pid.map(|pid| pidfd_open(pid, PidfdFlags::empty()));
    // Asked after the handle was taken: from here on it cannot mean another process.
    match (supervisor.standing().map_err(unusable)?, handle) {
        (Standing::Elsewhere, _) => Err(AdoptError::Elsewhere { path: path() }),
        (Standing::Alive, Some(Ok(handle))) => match speak(directory, &supervisor, &handle) {
            Ok(Spoken::Held(stream, inbox, command)) => {
                let supervisor = Supervisor { identity: supervisor, handle, child: None };
                let held = Held { supervisor, command, survives: true };
                let supervised = Box::new(Supervised::new(stream, inbox, held));
                Ok(Looked::Done(Adopted::Running(supervised)))
            }
            Ok(Spoken::Version(found)) => {
                Err(AdoptError::Version { path: path(), found, wanted: VERSION })
            }
            Ok(Spoken::Stranger) => Ok(Looked::Pending(AdoptError::WrongProcess { path: path() })),
            Err(error) => silent(error),
        },
        _ => Ok(Looked::Pending(AdoptError::WrongProcess { path: path() })),
    }
}

enum Spoken {
    Held(UnixStream, Inbox, Identity),
    Version(u32),
    Stranger,
}

fn speak(directory: &Directory, supervisor: &Identity, handle: &OwnedFd) -> io::Result<Spoken> {
    let stream = directory.connect()?;
    if supervisor.process() != Some(socket_peercred(&stream)?.pid) {
        return Ok(Spoken::Stranger);
    }
    // A command may have stopped its supervisor.
    pidfd_send_signal(handle, Signal::CONT)?;
    let deadline = Instant::now() + ADOPT_WAIT;
    let nonce = nonce()?;
    let hello = Request::Hello { version: VERSION, nonce: nonce.clone() };
    send(&stream, &encode(&hello, &[])?, &[], deadline)?;
    let mut inbox = Inbox::default();
    let (reply, _) = inbox.wait(&stream, Some(deadline))?;
    let Reply::Hi { version, nonce: returned, supervisor: named, command } = reply else {
        return Ok(Spoken::Stranger);
    };
    if returned != nonce || named != *supervisor {
        return Ok(Spoken::Stranger);
    }
    match command {
        _ if version != VERSION => Ok(Spoken::Version(version)),
        Some(command) => Ok(Spoken::Held(stream, inbox, command)),
        None => Err(io::ErrorKind::NotConnected.into()),
    }
}
