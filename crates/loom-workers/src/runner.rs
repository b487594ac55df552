//! The seam between a worker and what runs its commands.

use std::time::Duration;

use async_trait::async_trait;
use loom_core::{Task, TaskContext, WorkerError};

use crate::command::Command;
use crate::environment::Environment;
use crate::intake::Intake;
use crate::time::Time;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExitStatus {
    /// By itself, with this status; 0 is success.
    Code(i32),
    /// By the signal of this number.
    Signal(i32),
}

/// What a command has used, with those of its descendants that were waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Usage {
    /// Time that processors spent in its own code.
    pub user: Duration,
    /// Time that processors spent in the system on its behalf.
    pub system: Duration,
    /// The most memory that one of its processes held, in bytes. Not known if that is less than what
    /// the process that runs the command has held itself.
    pub peak_memory_bytes: Option<u64>,
}

/// The end of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Exit {
    /// How the command ended.
    pub status: ExitStatus,
    /// Whether it ended because the attempt was told to stop.
    pub stopped: bool,
    /// Whether its memory was written to a file when a signal ended it.
    pub core_dumped: bool,
    /// What it has used, if that is known.
    pub usage: Option<Usage>,
}

impl Exit {
    /// The command ended by itself.
    #[must_use]
    pub const fn code(code: i32) -> Self {
        Self::of(ExitStatus::Code(code))
    }

    /// A signal ended the command.
    #[must_use]
    pub const fn signal(number: i32) -> Self {
        Self::of(ExitStatus::Signal(number))
    }

    const fn of(status: ExitStatus) -> Self {
        Self { status, stopped: false, core_dumped: false, usage: None }
    }

    /// Says whether the command ended because the attempt was told to stop.
    #[must_use]
    pub const fn stopped(mut self, stopped: bool) -> Self {
        self.stopped = stopped;
        self
    }

    /// Says whether the memory of the command was written to a file when a signal ended it.
    #[must_use]
    pub const fn core_dumped(mut self, dumped: bool) -> Self {
        self.core_dumped = dumped;
        self
    }

    /// Says what the command has used.
    #[must_use]
    pub const fn used(mut self, usage: Usage) -> Self {
        self.usage = Some(usage);
        self
    }
}

/// A command to run, and what its runner needs to know.
#[derive(Debug)]
#[non_exhaustive]
pub struct Run<'a> {
    /// The task whose attempt this is.
    pub task: &'a Task,
    /// Tells when to stop.
    pub cx: &'a TaskContext,
    /// What to run.
    pub command: &'a Command,
    /// The environment to run it with.
    pub environment: &'a Environment,
    /// How long the command may take to end after it was asked to.
    pub grace: Duration,
    /// The time to go by.
    pub time: &'a Time,
}

/// Runs commands. The default is [`ProcessRunner`](crate::ProcessRunner); another one may use
/// containers, or play a part in a test.
#[async_trait]
pub trait Runner: Send + Sync + 'static {
    /// Runs a command and gives what it writes to the intakes.
    ///
    /// Returns when the command has ended and nothing that it started is left. If the attempt is
    /// told to stop, the command is asked to end, and forced to after the grace. If the call is
    /// dropped, the command is ended without grace.
    ///
    /// # Errors
    /// The command could not be run. A command that was run and failed is no error here.
    async fn run(
        &self,
        run: &Run<'_>,
        stdout: &mut Intake<'_>,
        stderr: &mut Intake<'_>,
    ) -> Result<Exit, WorkerError>;

    /// Ends what is left of `task` after the process that ran it died. By default there is nothing
    /// to do.
    ///
    /// # Errors
    /// What is left could not be ended.
    async fn reap(&self, task: &Task, time: &Time) -> Result<(), WorkerError> {
        let _ = (task, time);
        Ok(())
    }
}
