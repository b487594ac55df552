//! What is left of a task's command when nobody follows it any more.

use async_trait::async_trait;
use loom_core::{Reaper, Task, TaskId, WorkerError};

use crate::environment::TASK_ID_VARIABLE;
use crate::os;
use crate::process::ProcessRunner;
use crate::runner::Runner;
use crate::sweep::{Mark, Sweep};
use crate::time::Time;
use crate::tree::Tree;

/// Ends what dead processes left running, whatever worker ran it. For an engine that starts before
/// its workers are registered.
///
/// ```
/// use loom_workers::Leftovers;
///
/// # let _: &dyn loom_core::Reaper = &Leftovers::new();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Leftovers {
    time: Time,
}

impl Leftovers {
    /// Goes by the clock of this machine.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Reaper for Leftovers {
    async fn reap(&self, task: &Task) -> Result<(), WorkerError> {
        ProcessRunner::new().reap(task, &self.time).await
    }
}

/// Kills every process that the command of `task` has started, without grace: what its cgroup holds
/// if this process runs it in one, and whoever carries its mark. Blocks for about a millisecond. On
/// systems other than Linux it does nothing.
///
/// Whoever runs the command learns of its end as of any other.
pub fn kill_tree(task: &TaskId) {
    os::kill_held(task);
    Tree::Sweep(Sweep::orphaned(Mark::new(TASK_ID_VARIABLE, task.as_str()))).kill();
}
