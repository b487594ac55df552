//! Choosing what holds a command together.

use std::io;
use std::os::fd::OwnedFd;

use loom_core::TaskId;
use rustix::process::Pid;

use crate::os::{self, Born, Cgroup};
use crate::process::RUN_VARIABLE;
use crate::sweep::{Mark, Sweep};
use crate::tree::Tree;
use crate::tree_mode::{TreeMode, TreeUnavailable};

/// What will hold a command together that is not started yet.
#[derive(Debug)]
pub(crate) enum Hold {
    Cgroup(Cgroup),
    Sweep,
}

impl Hold {
    /// Has what a command of `task` needs made.
    pub(crate) fn new(asked: TreeMode, task: &TaskId) -> Result<Self, TreeUnavailable> {
        if Self::mode(asked)? == TreeMode::Sweep {
            return Ok(Self::Sweep);
        }
        match os::hold(task) {
            Ok(cgroup) => Ok(Self::Cgroup(cgroup)),
            Err(_) if asked == TreeMode::Auto => Ok(Self::Sweep),
            Err(why) => Err(TreeUnavailable::new(asked, why)),
        }
    }

    /// The mode that is used if `asked` is asked for: the first that can be.
    pub(crate) fn mode(asked: TreeMode) -> Result<TreeMode, TreeUnavailable> {
        let unavailable = |why| TreeUnavailable::new(asked, why);
        match asked {
            TreeMode::Auto if os::can_hold().is_ok() => Ok(TreeMode::Cgroup),
            TreeMode::Auto | TreeMode::Sweep => Ok(TreeMode::Sweep),
            TreeMode::Cgroup => os::can_hold().map(|()| asked).map_err(unavailable),
            TreeMode::Supervisor => Err(unavailable("no supervisor is known here".to_owned())),
        }
    }

    /// The directory of the cgroup to start the command in.
    pub(crate) fn place(&self) -> io::Result<Option<OwnedFd>> {
        match self {
            Self::Cgroup(cgroup) => cgroup.directory().map(Some),
            Self::Sweep => Ok(None),
        }
    }

    /// What holds the command together now that it was started.
    pub(crate) fn tree(self, run_id: &str, leader: Pid, born: Born) -> Tree {
        match self {
            Self::Cgroup(cgroup) => Tree::Cgroup(cgroup),
            Self::Sweep => Tree::Sweep(Sweep::led(Mark::new(RUN_VARIABLE, run_id), leader, born)),
        }
    }
}
