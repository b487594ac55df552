//! What became of a command, and what becomes of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How the leader of a command has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It has exited.
    Exited {
        /// With this code.
        code: i32,
    },
    /// A signal has ended it.
    Signaled {
        /// The signal's number.
        signal: i32,
        /// Whether its memory was dumped.
        core_dumped: bool,
    },
    /// It did not end although it was killed, and nobody waits for it any more.
    Stuck,
}

/// What the leader and all of its descendants have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// Processor time in programs.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
    /// The most memory that one of the processes had at a time, in bytes. At least as much as the
    /// supervisor had, from which the leader is started.
    pub peak_rss_bytes: u64,
    /// The most memory that the supervisor had, in bytes. A peak that is not above it tells nothing.
    #[serde(default)]
    pub own_peak_rss_bytes: u64,
}

/// How much a command that survives has printed to one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Printed {
    /// Bytes that are in the file.
    pub kept: u64,
    /// Bytes that the command has written.
    pub total: u64,
    /// Why the file could not be written on, if it could not. The command was not held up by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Where a command that survives stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct State {
    /// Whether it is being ended.
    pub is_ending: bool,
    /// What it has printed to standard output.
    pub stdout: Printed,
    /// What it has printed to standard error.
    pub stderr: Printed,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// How the leader has ended.
    pub outcome: Outcome,
    /// Whether the leader was told to end before it did: by [`end`](crate::Supervised::end), by the
    /// loss of its holder, or by a signal to the supervisor.
    pub stopped: bool,
    /// What it has used.
    pub usage: Usage,
    /// How long it took from its start until the last process was gone.
    pub ran: Duration,
    /// When that was, in microseconds since 1970, by the clock of the machine.
    pub ended_at_us: i64,
    /// How many processes could not be ended. 0, or the command did what it has no right to be
    /// stopped in.
    pub survivors: usize,
    /// What it has printed, if it was to survive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printed: Option<State>,
}
