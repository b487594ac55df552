//! Systems on which a process cannot look into the environment of others.
//!
//! Only the group of a command's leader can be ended here. A process that has left the group gets
//! away, and what a dead process left behind is not found.

use rustix::process::Signal;

use crate::tree::Tree;

/// A process of a tree, other than its leader. There is no way to find one.
#[derive(Debug)]
pub(crate) enum Member {}

impl Member {
    pub(crate) fn is_gone(&self) -> bool {
        match *self {}
    }

    pub(crate) fn is_in_group(&self) -> bool {
        match *self {}
    }

    pub(crate) fn send(&self, _signal: Signal) {
        match *self {}
    }
}

/// No process: none can be found.
pub(crate) fn members(_tree: &Tree) -> Vec<Member> {
    Vec::new()
}
