//! Those who have hold of a supervisor.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use crate::protocol::{Reply, Request};
use crate::report::State;
use crate::wire::{Filled, Inbox, encode, send_now};

#[derive(Debug)]
pub(super) struct Client {
    stream: UnixStream,
    inbox: Inbox,
    /// Whether it has started this process, rather than come in by the door.
    pub(super) is_owner: bool,
    /// Whether it has said a first word.
    pub(super) is_greeted: bool,
    pub(super) is_gone: bool,
    /// The state it wants to be told.
    pub(super) wish: Option<Wish>,
}

/// Which state a client wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Any,
    /// One in which more has been printed to either stream.
    Beyond {
        stdout: u64,
        stderr: u64,
    },
}

impl Wish {
    fn is_met(self, state: &State) -> bool {
        match self {
            Self::Any => true,
            Self::Beyond { stdout, stderr } => {
                state.stdout.total > stdout || state.stderr.total > stderr
            }
        }
    }
}

impl Client {
    pub(super) const fn owner(stream: UnixStream, inbox: Inbox) -> Self {
        Self { stream, inbox, is_owner: true, is_greeted: true, is_gone: false, wish: None }
    }

    pub(super) fn visitor(stream: UnixStream) -> Self {
        Self {
            stream,
            inbox: Inbox::default(),
            is_owner: false,
            is_greeted: false,
            is_gone: false,
            wish: None,
        }
    }

    pub(super) fn file(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// What it has said. One who says what nobody understands is gone.
    pub(super) fn hear(&mut self) -> Vec<Request> {
        let filled = self.inbox.fill(&self.stream);
        drop(self.inbox.take_files());
        let mut heard = Vec::new();
        loop {
            match self.inbox.next() {
                Ok(Some((request, _))) => heard.push(request),
                Ok(None) => break,
                Err(_) => {
                    self.is_gone = true;
                    break;
                }
            }
        }
        self.is_gone |= matches!(filled, Ok(Filled::End) | Err(_));
        heard
    }

    /// One who does not take what is said is gone: there is never much.
    pub(super) fn say(&mut self, reply: &Reply) {
        let said = encode(reply, &[]).and_then(|bytes| send_now(&self.stream, &bytes));
        self.is_gone |= said.is_err();
    }

    /// Tells the state, if that is what it waits for.
    pub(super) fn tell(&mut self, state: &State) {
        if self.wish.take_if(|wish| wish.is_met(state)).is_some() {
            self.say(&Reply::State(state.clone()));
        }
    }
}
