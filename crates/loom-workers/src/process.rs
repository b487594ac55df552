//! Running commands as processes of this machine.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use loom_core::{Task, WorkerError};
use tokio::select;
use tokio::sync::watch;

use crate::command::Stdin;
use crate::environment::TASK_ID_VARIABLE;
use crate::follow;
use crate::hold::Wish;
use crate::intake::Intake;
use crate::leader::{Started, start};
use crate::os;
use crate::outcome;
use crate::pipes::Pipes;
use crate::runner::{Exit, Run, Runner};
use crate::start_error::StartError;
use crate::sweep::{Mark, Sweep};
use crate::time::Time;
use crate::tree::Tree;
use crate::tree_mode::{TreeMode, TreeUnavailable};

/// The variable by which the processes of one run are found again. Its value never repeats.
pub const RUN_VARIABLE: &str = "LOOM_RUN";

/// The variable by which the supervisors of a task's commands are found again.
pub(crate) const SUPERVISOR_VARIABLE: &str = "LOOM_SUPERVISES";

/// How long what a dead process left behind may take to end after it was asked to.
const REAP_GRACE: Duration = Duration::from_secs(1);
/// How long the supervisor of a dead process may take to end what carries no mark.
const SUPERVISOR_WAIT: Duration = Duration::from_secs(20);

/// Runs commands as processes of this machine, each in a process group of its own.
///
/// When the leader of the group has ended, and also when the attempt is told to stop, everything
/// that it started is ended, as far as the [`TreeMode`] holds it. All get `SIGTERM`, and `SIGKILL`
/// after the grace. On systems other than Linux what is left of the group after its leader's end is
/// killed without grace.
///
/// A command finds three open files, and signals that do what they do by default.
///
/// Needs a tokio runtime with I/O and time. Do not have the system reap children by itself
/// (`SIGCHLD` ignored), nor reap those that are not yours: their exit status would be lost.
#[derive(Clone, Debug, Default)]
pub struct ProcessRunner {
    wish: Wish,
}

impl ProcessRunner {
    /// Holds commands together as well as it can be done here.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how everything that a command starts is held together. Default: [`TreeMode::Auto`].
    ///
    /// If the mode cannot be used here, each attempt fails and says why.
    #[must_use]
    pub const fn mode(mut self, mode: TreeMode) -> Self {
        self.wish.mode = mode;
        self
    }

    /// Names the program that supervises commands: `loom-supervisor`, or any that calls
    /// [`supervisor_main`](crate::supervisor_main) first in its `main`. Default: the running program,
    /// if it does so.
    #[must_use]
    pub fn supervisor(mut self, program: impl Into<PathBuf>) -> Self {
        self.wish.supervisor = Some(program.into());
        self
    }

    /// The mode that commands are run in: never [`TreeMode::Auto`]. Blocks for less than a
    /// millisecond.
    ///
    /// # Errors
    /// The mode that was asked for cannot be used here.
    ///
    /// ```
    /// use loom_workers::{ProcessRunner, TreeMode};
    ///
    /// let used = ProcessRunner::new().in_use()?;
    /// assert_ne!(used, TreeMode::Auto);
    /// # Ok::<(), loom_workers::TreeUnavailable>(())
    /// ```
    pub fn in_use(&self) -> Result<TreeMode, TreeUnavailable> {
        self.wish.in_use()
    }
}

#[async_trait]
impl Runner for ProcessRunner {
    async fn run(
        &self,
        run: &Run<'_>,
        stdout: &mut Intake<'_>,
        stderr: &mut Intake<'_>,
    ) -> Result<Exit, WorkerError> {
        let cancellation = run.cx.cancellation();
        let started = select! {
            biased;
            started = start(run, &self.wish) => started,
            () = cancellation.cancelled() => {
                return Err(outcome::stopped(cancellation.reason(), Duration::ZERO));
            }
        };
        let (started, ends) = started.map_err(StartError::into_worker_error)?;
        let (tell, ended) = watch::channel(false);
        let control = async {
            match started {
                Started::Child(leader, child) => follow::child((leader, child), run, &tell).await,
                Started::Supervised(held, mark) => follow::supervised(held, mark, run, &tell).await,
            }
        };
        let input = input(&run.command.stdin);
        let flow = Pipes::of(ends).flow(input, stdout, stderr, run.cx, (&ended, run.time));
        let (exit, ()) = tokio::join!(control, flow);
        Ok(exit?)
    }

    async fn reap(&self, task: &Task, time: &Time) -> Result<(), WorkerError> {
        let homes = tokio::task::spawn_blocking(os::dead_homes);
        // If the runtime is being shut down nobody waits for the answer.
        for home in homes.await.unwrap_or_default() {
            Tree::Cgroup(home).end(REAP_GRACE, time).await;
        }
        let mark = Mark::new(TASK_ID_VARIABLE, task.id.as_str());
        Tree::Sweep(Sweep::orphaned(mark)).end(REAP_GRACE, time).await;
        // They end the rest by themselves.
        let supervisors = Mark::new(SUPERVISOR_VARIABLE, task.id.as_str());
        Tree::Sweep(Sweep::orphaned(supervisors)).wait(SUPERVISOR_WAIT, time).await;
        Ok(())
    }
}

fn input(stdin: &Stdin) -> &[u8] {
    match stdin {
        Stdin::Text(bytes) => bytes,
        _ => &[],
    }
}
