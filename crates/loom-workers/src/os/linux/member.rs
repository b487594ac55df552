//! A process of a tree, and the handle that keeps a signal from reaching a stranger.
//!
//! Needs Linux 5.3 or newer.

use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process of a tree that had not ended when it was found.
#[derive(Debug)]
pub(crate) struct Member {
    handle: OwnedFd,
    in_group: bool,
}

impl Member {
    /// Takes a handle on the process, if `place` says that it belongs to the tree and where in it:
    /// whether it is in the group of the tree's leader. It is asked twice, as the id may pass to a
    /// stranger before there is a handle.
    pub(super) fn find(pid: Pid, place: impl Fn(Pid) -> Option<bool>) -> Option<Self> {
        place(pid)?;
        let handle = handle(pid)?;
        let member = Self { handle, in_group: place(pid)? };
        (!member.is_gone()).then_some(member)
    }

    /// A process that gets no signal but those that are sent to it alone.
    pub(super) const fn alone(handle: OwnedFd) -> Self {
        Self { handle, in_group: false }
    }

    /// Whether the process has ended.
    pub(crate) fn is_gone(&self) -> bool {
        let mut handles = [PollFd::new(&self.handle, PollFlags::IN)];
        poll(&mut handles, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    /// Whether the process gets what is sent to the group of its tree's leader.
    pub(crate) const fn is_in_group(&self) -> bool {
        self.in_group
    }

    /// Sends a signal to this process and no other.
    pub(crate) fn send(&self, signal: Signal) {
        // Fails if the process has ended meanwhile or belongs to another user.
        let _ = pidfd_send_signal(&self.handle, signal);
    }
}

/// A handle on a process. It can be read from when the process ends.
pub(crate) fn handle(process: Pid) -> Option<OwnedFd> {
    pidfd_open(process, PidfdFlags::empty()).ok()
}
