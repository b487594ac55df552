//! Whether there is another attempt, and when.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::limits;

/// Why another attempt follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RetryReason {
    /// The worker failed in a way that may pass.
    Failed,
    /// The quality gate did not accept the output.
    Rejected,
    /// A limit was met, and it is known when it resets. Not counted as a retry.
    Parked,
    /// The engine was shut down before the attempt ended. Not counted as a retry.
    Interrupted,
    /// The process that ran the attempt died. Not counted as a retry.
    Crash,
}

impl RetryReason {
    /// All reasons.
    pub const ALL: [Self; 5] =
        [Self::Failed, Self::Rejected, Self::Parked, Self::Interrupted, Self::Crash];

    /// The reason as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Parked => "parked",
            Self::Interrupted => "interrupted",
            Self::Crash => "crash",
        }
    }

    /// Whether the attempt counts against the retries of its task.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        matches!(self, Self::Failed | Self::Rejected)
    }
}

impl fmt::Display for RetryReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for RetryReason {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or(())
    }
}

impl Serialize for RetryReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How often and how patiently failed attempts are repeated.
///
/// The wait before the n-th retry is drawn evenly from nothing up to `base` doubled n − 1 times,
/// never above `max` (exponential backoff with full jitter).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Retries after the first attempt; a request may ask for another number. Default 2.
    pub max_retries: u32,
    /// Longest wait before the first retry. Default 1 s.
    pub base: Duration,
    /// Longest wait before any retry. Default 5 min.
    pub max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: limits::RETRIES_DEFAULT,
            base: Duration::from_secs(1),
            max: Duration::from_secs(300),
        }
    }
}

impl RetryPolicy {
    /// The wait before another attempt after `retries` retries; `unit` is random, from 0 to 1.
    ///
    /// ```
    /// use std::time::Duration;
    /// use loom_core::RetryPolicy;
    ///
    /// let policy = RetryPolicy::default();
    /// assert_eq!(policy.backoff(0, 1.0), Duration::from_secs(1));
    /// assert_eq!(policy.backoff(2, 0.5), Duration::from_secs(2));
    /// assert_eq!(policy.backoff(40, 1.0), Duration::from_secs(300));
    /// ```
    #[must_use]
    pub fn backoff(&self, retries: u32, unit: f64) -> Duration {
        // Doubled so often, any wait that is not zero is the longest there is.
        let doublings = 0..retries.min(128);
        let ceiling =
            doublings.fold(self.base.min(self.max), |wait, _| wait.saturating_mul(2).min(self.max));
        // Neither rounding nor a number that is none may lead beyond the ceiling.
        let part = if unit > 0.0 { unit.min(1.0) } else { 0.0 };
        let wait = Duration::try_from_secs_f64(ceiling.as_secs_f64() * part);
        wait.unwrap_or(ceiling).min(ceiling)
    }
}
