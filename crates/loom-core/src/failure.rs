//! Why a task failed, as a word that programs can match.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Why a task failed. Stable; stands beside the error text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FailureCode {
    /// The worker returned an error of no more special kind.
    WorkerError,
    /// The attempt took longer than its timeout.
    Timeout,
    /// The worker was silent for longer than allowed.
    IdleTimeout,
    /// The task took longer than its deadline, all attempts together.
    Deadline,
    /// The quality gate did not accept the output.
    GateRejected,
    /// No worker for the task's type.
    NoWorker,
    /// The worker panicked.
    Panic,
    /// The process that ran the task died.
    Crashed,
    /// The engine was shut down before the attempt ended.
    Interrupted,
    /// The command could not be started.
    SpawnFailed,
    /// The command ended with an exit status other than zero.
    ExitStatus,
    /// The command was ended by a signal.
    Signal,
    /// The server answered with an error status.
    HttpStatus,
    /// A rate limit was met.
    RateLimited,
    /// A quota was used up.
    Quota,
    /// More output than allowed.
    OutputLimit,
    /// The stored task could not be read.
    Store,
}

impl FailureCode {
    /// All codes.
    pub const ALL: [Self; 17] = [
        Self::WorkerError,
        Self::Timeout,
        Self::IdleTimeout,
        Self::Deadline,
        Self::GateRejected,
        Self::NoWorker,
        Self::Panic,
        Self::Crashed,
        Self::Interrupted,
        Self::SpawnFailed,
        Self::ExitStatus,
        Self::Signal,
        Self::HttpStatus,
        Self::RateLimited,
        Self::Quota,
        Self::OutputLimit,
        Self::Store,
    ];

    /// The code as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WorkerError => "worker_error",
            Self::Timeout => "timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::Deadline => "deadline",
            Self::GateRejected => "gate_rejected",
            Self::NoWorker => "no_worker",
            Self::Panic => "panic",
            Self::Crashed => "crashed",
            Self::Interrupted => "interrupted",
            Self::SpawnFailed => "spawn_failed",
            Self::ExitStatus => "exit_status",
            Self::Signal => "signal",
            Self::HttpStatus => "http_status",
            Self::RateLimited => "rate_limited",
            Self::Quota => "quota",
            Self::OutputLimit => "output_limit",
            Self::Store => "store",
        }
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is no failure code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown failure code {0:?}")]
pub struct ParseFailureCodeError(String);

impl FromStr for FailureCode {
    type Err = ParseFailureCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|code| code.as_str() == text);
        named.ok_or_else(|| ParseFailureCodeError(text.to_owned()))
    }
}

impl Serialize for FailureCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
