//! What is left of a task's command when nobody follows it any more.

use async_trait::async_trait;
use loom_core::{Reaper, Task, TaskId, WorkerError};

use crate::environment::TASK_ID_VARIABLE;
use crate::process::ProcessRunner;
use crate::runner::Runner;
use crate::time::Time;
use crate::tree::{Mark, Tree};

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
        ProcessRunner.reap(task, &self.time).await
    }
}

/// Kills every process that the command of `task` has started and that carries its mark, without
/// grace. Blocks for about a millisecond. Does nothing on systems other than Linux.
///
/// Whoever runs the command learns of its end as of any other.
pub fn kill_tree(task: &TaskId) {
    Tree::orphaned(Mark::new(TASK_ID_VARIABLE, task.as_str())).kill();
}
