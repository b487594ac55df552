//! The hold on a supervisor and its command.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::process::{Signal, pidfd_send_signal};

use crate::error::LostError;
use crate::identity::Identity;
use crate::protocol::{Reply, Request};
use crate::report::{Report, State};
use crate::spec::millis;
use crate::wire::{Filled, Inbox, encode, send_now, wait_for};

/// What a supervisor has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Where a command that survives stands; the answer to [`Supervised::tell`].
    State(State),
    /// The command has ended, and so has everything that it started.
    Ended(Report),
}

/// The hold on a command that runs under a supervisor.
///
/// Dropped, and also when this process dies in whatever way, the command is ended with the grace of
/// its [`Spec`](crate::Spec), unless it is to survive.
///
/// The calls that wait block the thread. Instead one may wait for the file ([`AsFd`]) to be
/// readable, and then take what there is with [`try_next`](Self::try_next).
#[derive(Debug)]
pub struct Supervised {
    stream: UnixStream,
    inbox: Inbox,
    held: Held,
    has_reported: bool,
}

/// Who is held.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) supervisor: Supervisor,
    pub(crate) command: Identity,
    pub(crate) survives: bool,
}

/// The process of a supervisor.
#[derive(Debug)]
pub(crate) struct Supervisor {
    pub(crate) identity: Identity,
    /// Means this process, whatever its id may mean later.
    pub(crate) handle: OwnedFd,
    /// There, if it is a child of this process.
    pub(crate) child: Option<Child>,
}

impl Supervised {
    pub(crate) const fn new(stream: UnixStream, inbox: Inbox, held: Held) -> Self {
        Self { stream, inbox, held, has_reported: false }
    }

    /// The leader of the command, which is also the leader of its process group.
    #[must_use]
    pub const fn command(&self) -> &Identity {
        &self.held.command
    }

    /// The supervisor.
    #[must_use]
    pub const fn supervisor(&self) -> &Identity {
        &self.held.supervisor.identity
    }

    /// Whether the command goes on when this is dropped.
    #[must_use]
    pub const fn survives(&self) -> bool {
        self.held.survives
    }

    /// Asks all processes of the command to end, and has those killed that have not after `grace`.
    /// May be called again: the shortest grace holds. Returns at once.
    ///
    /// # Errors
    /// If the supervisor cannot be reached. What it reported before can still be read.
    pub fn end(&self, grace: Duration) -> Result<(), LostError> {
        self.request(&Request::End { grace_ms: millis(grace) })
    }

    /// Kills all processes of the command. Returns at once.
    ///
    /// # Errors
    /// As [`end`](Self::end).
    pub fn kill(&self) -> Result<(), LostError> {
        self.end(Duration::ZERO)
    }

    /// Sends the signal with this number to the process group of the leader, as long as there is a
    /// leader. Numbers without a name do nothing.
    ///
    /// # Errors
    /// As [`end`](Self::end).
    pub fn signal(&self, signal: i32) -> Result<(), LostError> {
        self.request(&Request::Signal { signal })
    }

    /// Asks for an [`Event::State`]: at once, or as soon as more has been printed to standard
    /// output, or to standard error, than the numbers in `beyond` say. A later call replaces an
    /// earlier one. Nothing comes for commands that do not survive.
    ///
    /// # Errors
    /// As [`end`](Self::end).
    pub fn tell(&self, beyond: Option<(u64, u64)>) -> Result<(), LostError> {
        self.request(&Request::Tell { beyond })
    }

    /// What the supervisor has said, if there is anything, without waiting. `None` means that the
    /// file is not readable, but after the report, after which nothing comes.
    ///
    /// # Errors
    /// If the supervisor is gone without a report.
    pub fn try_next(&mut self) -> Result<Option<Event>, LostError> {
        loop {
            match self.inbox.next().map_err(|source| self.lost(source))? {
                Some((Reply::State(state), _)) => return Ok(Some(Event::State(state))),
                Some((Reply::Ended(report), _)) => {
                    self.has_reported = true;
                    return Ok(Some(Event::Ended(report)));
                }
                Some(_) => continue,
                None if self.has_reported => return Ok(None),
                None => {}
            }
            match self.inbox.fill(&self.stream).map_err(|source| self.lost(source))? {
                Filled::Some => {}
                Filled::Nothing => return Ok(None),
                Filled::End => return Err(self.lost(io::ErrorKind::UnexpectedEof.into())),
            }
        }
    }

    /// Waits for what the supervisor says next, `at_most` so long. Nothing, if that time is over, or
    /// it has reported.
    ///
    /// # Errors
    /// If the supervisor is gone without a report.
    pub fn next(&mut self, at_most: Option<Duration>) -> Result<Option<Event>, LostError> {
        let deadline = at_most.and_then(|at_most| Instant::now().checked_add(at_most));
        loop {
            if let Some(event) = self.try_next()? {
                return Ok(Some(event));
            }
            if self.has_reported {
                return Ok(None);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let ready = wait_for(self.stream.as_fd(), PollFlags::IN, left);
            if !ready.map_err(|source| self.lost(source))? {
                return Ok(None);
            }
        }
    }

    /// Waits until the command and everything that it started has ended, `at_most` so long. Nothing,
    /// if that time is over. States are passed over.
    ///
    /// # Errors
    /// If the supervisor is gone without a report.
    pub fn wait(&mut self, at_most: Option<Duration>) -> Result<Option<Report>, LostError> {
        let deadline = at_most.and_then(|at_most| Instant::now().checked_add(at_most));
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match self.next(left)? {
                Some(Event::Ended(report)) => return Ok(Some(report)),
                Some(Event::State(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// Kills the supervisor itself: the last resort, if it does not answer. What the command has
    /// started may still run, and has to be found in another way.
    pub fn abandon(&self) {
        // Fails if it has ended.
        let _ = pidfd_send_signal(&self.held.supervisor.handle, Signal::KILL);
    }

    fn request(&self, request: &Request) -> Result<(), LostError> {
        // A command may have stopped its supervisor. Fails if that has ended.
        let _ = pidfd_send_signal(&self.held.supervisor.handle, Signal::CONT);
        let sent = encode(request, &[]).and_then(|bytes| send_now(&self.stream, &bytes));
        sent.map_err(|source| self.lost(source))
    }

    fn lost(&self, source: io::Error) -> LostError {
        LostError { command: self.held.command.pid, source }
    }
}

impl AsFd for Supervised {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl AsRawFd for Supervised {
    fn as_raw_fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }
}

impl Drop for Supervisor {
    /// Leaves no zombie.
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        // The rule: the report was read, and the supervisor has nothing more to do.
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        // If there can be no thread, this process cleans up by ending.
        let _ = thread::Builder::new().name("loom-reap".to_owned()).spawn(move || child.wait());
    }
}
