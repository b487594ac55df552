//! Whether a call is tried again, and when.

use std::fmt;
use std::time::{Duration, SystemTime};

use loom_core::{FailureCode, RetryPolicy, WorkerError};
use loom_deps::Timestamp;
use reqwest::StatusCode;

use super::client::HttpError;

/// Longest wait, asked for by a server, that an attempt sits out itself. Builder:
/// [`HttpBase::retry_after_max`](super::HttpBase::retry_after_max).
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// How one try went wrong.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server answered with a status that is no success, and perhaps with a wait.
    Status(u16, Option<Duration>),
    /// There was no answer, or not all of it.
    Broken(HttpError),
    /// There was no full answer within this time.
    Slow(Duration),
}

impl Trouble {
    /// Whether another try may help.
    fn may_pass(&self) -> bool {
        match self {
            Self::Status(status, _) => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Broken(error) => matches!(error, HttpError::Connection(_) | HttpError::Silent(_)),
            Self::Slow(_) => true,
        }
    }

    /// How long the server asks to wait, if another try may help then.
    fn asks_for(&self) -> Option<Duration> {
        match self {
            Self::Status(_, wait) if self.may_pass() => wait.filter(|wait| !wait.is_zero()),
            _ => None,
        }
    }

    /// The error that this is of an attempt which called `target` in vain and was told what `said`
    /// is, if anything.
    pub(super) fn to_error(&self, target: &str, said: &str) -> WorkerError {
        let message = match self {
            Self::Status(..) if !said.is_empty() => format!("{target} {self}: {said}"),
            _ => format!("{target} {self}"),
        };
        let error = match (self, self.asks_for()) {
            (Self::Slow(_) | Self::Broken(HttpError::Silent(_)), _) => {
                WorkerError::timeout(message)
            }
            (_, Some(wait)) => WorkerError::retry_after(wait, message),
            _ if self.may_pass() => WorkerError::transient(message),
            _ => WorkerError::permanent(message),
        };
        error.with_code(self.code())
    }

    fn code(&self) -> FailureCode {
        match self {
            // 529 is what providers of models say when they are overloaded.
            Self::Status(429 | 529, _) | Self::Status(503, Some(_)) => FailureCode::RateLimited,
            Self::Status(..) => FailureCode::HttpStatus,
            Self::Slow(_) | Self::Broken(HttpError::Silent(_)) => FailureCode::Timeout,
            Self::Broken(_) => FailureCode::WorkerError,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.asks_for()) {
            (Self::Status(status, _), Some(wait)) => {
                write!(f, "answered {}, to be asked again in {wait:?}", name(*status))
            }
            (Self::Status(status, _), None) => write!(f, "answered {}", name(*status)),
            (Self::Broken(error @ (HttpError::Refused(_) | HttpError::Unusable(_))), _) => {
                write!(f, "failed: {error}")
            }
            (Self::Broken(error), _) => write!(f, "gave no answer: {}", error.chain()),
            (Self::Slow(time), _) => write!(f, "gave no full answer within {time:?}"),
        }
    }
}

/// The status as people know it.
fn name(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason());
    reason.map_or_else(|| status.to_string(), |reason| format!("{status} {reason}"))
}

/// How patient an attempt is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) policy: RetryPolicy,
    pub(super) retry_after_max: Duration,
    /// How long the attempt may still take.
    pub(super) left: Option<Duration>,
}

/// How long to wait before the next try after `retries` of them; `None`: there is none.
///
/// `unit` is where chance comes in, from 0 to 1.
pub(super) fn wait(
    trouble: &Trouble,
    retries: u32,
    patience: &Patience,
    unit: f64,
) -> Option<Duration> {
    if !trouble.may_pass() || retries >= patience.policy.max_retries {
        return None;
    }
    let asked = trouble.asks_for().unwrap_or_default();
    let wait = patience.policy.backoff(retries, unit).max(asked);
    // A wait that the attempt would not survive is better spent as a task that waits.
    let fits = asked <= patience.retry_after_max && patience.left.is_none_or(|left| wait < left);
    fits.then_some(wait)
}

/// What a `Retry-After` says, as a number of seconds or as a date; `None` if it says nothing.
pub(super) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date: SystemTime = httpdate::parse_http_date(text).ok()?;
    Some(Timestamp::from(date).since(now))
}
