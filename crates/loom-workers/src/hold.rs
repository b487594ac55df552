//! Choosing what holds a command together.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use loom_core::TaskId;
use rustix::process::Pid;

use crate::os::{self, Born, Cgroup, Supervisor};
use crate::process::RUN_VARIABLE;
use crate::sweep::{Mark, Sweep};
use crate::tree::Tree;
use crate::tree_mode::{TreeMode, TreeUnavailable};

/// What is tried, the best first.
const BEST_FIRST: [TreeMode; 3] = [TreeMode::Cgroup, TreeMode::Supervisor, TreeMode::Sweep];

/// How commands are to be held together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) mode: TreeMode,
    /// The program of the supervisor. Without one, the running program may be its own.
    pub(crate) supervisor: Option<PathBuf>,
}

impl Wish {
    /// The mode that is used: the first that can be.
    pub(crate) fn in_use(&self) -> Result<TreeMode, TreeUnavailable> {
        if self.mode != TreeMode::Auto {
            return self.check(self.mode).map(|()| self.mode);
        }
        let best = BEST_FIRST.into_iter().find(|mode| self.check(*mode).is_ok());
        Ok(best.unwrap_or(TreeMode::Sweep))
    }

    /// Has what a command of `task` needs made.
    pub(crate) fn hold(&self, task: &TaskId) -> Result<Hold, TreeUnavailable> {
        if self.mode != TreeMode::Auto {
            return self.make(self.mode, task);
        }
        let best = BEST_FIRST.into_iter().find_map(|mode| self.make(mode, task).ok());
        Ok(best.unwrap_or(Hold::Sweep))
    }

    fn check(&self, mode: TreeMode) -> Result<(), TreeUnavailable> {
        let unavailable = |why| TreeUnavailable::new(mode, why);
        match mode {
            TreeMode::Cgroup => os::can_hold().map_err(unavailable),
            TreeMode::Supervisor => {
                os::can_supervise(self.supervisor.as_deref()).map_err(unavailable)
            }
            TreeMode::Auto | TreeMode::Sweep => Ok(()),
        }
    }

    fn make(&self, mode: TreeMode, task: &TaskId) -> Result<Hold, TreeUnavailable> {
        match mode {
            TreeMode::Cgroup => {
                os::hold(task).map(Hold::Cgroup).map_err(|why| TreeUnavailable::new(mode, why))
            }
            TreeMode::Supervisor => {
                os::supervise(self.supervisor.as_deref(), task).map(Hold::Supervisor)
            }
            TreeMode::Auto | TreeMode::Sweep => Ok(Hold::Sweep),
        }
    }
}

/// What will hold a command together that is not started yet.
#[derive(Debug)]
pub(crate) enum Hold {
    Cgroup(Cgroup),
    Supervisor(Supervisor),
    Sweep,
}

/// What a child of this process is held by.
#[derive(Debug)]
pub(crate) enum Grip {
    Cgroup(Cgroup),
    Sweep,
}

impl Grip {
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
