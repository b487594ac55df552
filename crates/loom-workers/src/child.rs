//! A child of this process, until it is reaped.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::os;
use crate::runner::Exit;
use crate::time::Time;
use crate::wait;

/// How often it is looked whether a command has ended, should the host have taken the signal that
/// tells it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A child of this process.
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    news: News,
}

/// What tells that a child may have exited.
#[derive(Debug)]
enum News {
    /// A handle on the child, which can be read from its exit on.
    Handle(AsyncFd<OwnedFd>),
    /// Any child of this process has changed its state.
    Children(Signal),
}

impl Child {
    /// Follows a child of this process that nobody else reaps.
    pub(crate) fn new(pid: Pid) -> io::Result<Self> {
        Ok(Self { pid, news: News::of(pid)? })
    }

    pub(crate) const fn pid(&self) -> Pid {
        self.pid
    }

    /// Returns when the child has exited. Leaves it unreaped. Cancel safe.
    pub(crate) async fn exited(&mut self, time: &Time) {
        while !has_exited(self.pid) {
            self.news.come(time).await;
        }
    }

    /// Waits for the child's exit, and reaps it.
    pub(crate) async fn reap(&mut self, time: &Time) -> io::Result<Exit> {
        loop {
            self.exited(time).await;
            if let Some(exit) = wait::reap(self.pid)? {
                return Ok(exit);
            }
        }
    }
}

impl News {
    fn of(pid: Pid) -> io::Result<Self> {
        let handle = os::handle(pid).and_then(followed);
        match handle {
            Some(handle) => Ok(Self::Handle(handle)),
            None => Ok(Self::Children(signal(SignalKind::child())?)),
        }
    }

    /// Returns when there may be news.
    async fn come(&mut self, time: &Time) {
        match self {
            Self::Handle(handle) => {
                if handle.readable().await.is_err() {
                    // Nothing is told any more: the runtime is being shut down.
                    time.sleep(LOOK_AGAIN).await;
                }
            }
            Self::Children(children) => {
                select! {
                    biased;
                    _ = children.recv() => {}
                    () = time.sleep(LOOK_AGAIN) => {}
                }
            }
        }
    }
}

#[expect(
    deprecated,
    reason = "a file that is owned stays the same file, so the safe form is sound"
)]
fn followed(handle: OwnedFd) -> Option<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(handle, Interest::READABLE).ok()
}

/// Whether a child of this process has exited.
pub(crate) fn has_exited(child: Pid) -> bool {
    state(child) != State::Running
}

/// Whether a child of this process has been reaped, so that a stranger may have its id.
pub(crate) fn is_reaped(child: Pid) -> bool {
    state(child) == State::Reaped
}

/// Where a child of this process stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// It has exited and keeps its id until it is reaped.
    Exited,
    /// Somebody else has reaped it, perhaps the system because the host wants it so.
    Reaped,
}

/// Looks without reaping.
fn state(child: Pid) -> State {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    match waitid(WaitId::Pid(child), options) {
        Ok(Some(_)) => State::Exited,
        Err(Errno::CHILD) => State::Reaped,
        _ => State::Running,
    }
}
