//! The last resort: everything that is in the group of the leader or carries the mark.

use rustix::process::{Pid, Signal, kill_process_group};

use crate::child::is_reaped;
use crate::os::Born;

/// A variable with a value that only the processes of one tree carry in their environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark(String);

impl Mark {
    pub(crate) fn new(variable: &str, value: &str) -> Self {
        Self(format!("{variable}={value}"))
    }
}

/// The processes that a command has started: the group of its leader, and whoever carries the mark.
#[derive(Clone, Debug)]
pub(crate) struct Sweep {
    mark: Mark,
    /// A child of this process that leads a group of the same id. It must not have been reaped:
    /// until then its id, and so the group's, cannot pass to a stranger.
    leader: Option<(Pid, Born)>,
}

impl Sweep {
    /// The tree of a child that has not been reaped.
    pub(crate) const fn led(mark: Mark, leader: Pid, born: Born) -> Self {
        Self { mark, leader: Some((leader, born)) }
    }

    /// What is left of a tree whose leader is gone.
    pub(crate) const fn orphaned(mark: Mark) -> Self {
        Self { mark, leader: None }
    }

    pub(crate) fn leader(&self) -> Option<Pid> {
        self.leader.map(|(leader, _)| leader)
    }

    /// The group of the leader, as long as no stranger can have been given its id.
    pub(crate) fn group(&self) -> Option<Pid> {
        self.leader().filter(|leader| !is_reaped(*leader))
    }

    pub(crate) fn signal_group(&self, signal: Signal) {
        if let Some(group) = self.group() {
            // Fails if nobody is left who may be signalled, and then there is nothing to do.
            let _ = kill_process_group(group, signal);
        }
    }
}

/// What there is to look for.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "only Linux lets a process look for others")
)]
impl Sweep {
    /// The entry that the processes of the tree have in their environment.
    pub(crate) fn mark(&self) -> &[u8] {
        self.mark.0.as_bytes()
    }

    /// When the leader was started.
    pub(crate) fn born(&self) -> Option<Born> {
        self.leader.map(|(_, born)| born)
    }
}
