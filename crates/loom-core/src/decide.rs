//! What follows from the outcome of an attempt.

use std::time::Duration;

use loom_deps::Timestamp;

use crate::failure::FailureCode;
use crate::gate::{GateDecision, RateLimit};
use crate::hold::Held;
use crate::limits::{ERROR_BYTES_MAX, PARKED_MAX, RESULT_BYTES_MAX, UNCOUNTED_MAX};
use crate::redact::Redactor;
use crate::retry::{RetryPolicy, RetryReason};
use crate::task::{Metadata, Task};
use crate::text::head_and_tail;
use crate::transition::{Ended, Transition};
use crate::worker::{CrashPolicy, ErrorKind, WorkerError, WorkerResult};

/// How an attempt ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The worker returned a result, and the gate has judged it.
    Judged(WorkerResult, GateDecision),
    /// The worker returned an error.
    Failed(WorkerError),
    /// The worker returned an error, and the gate has seen in it that a limit was met.
    Limited(WorkerError, GateDecision),
    /// The worker was not called: a limit of the account that the task is charged to is met.
    Held(Held),
    /// The worker panicked, with this text.
    Panicked(String),
    /// The attempt was told to stop after its timeout. With what it had produced.
    TimedOut(Duration, Option<WorkerResult>),
    /// The attempt was told to stop after its idle timeout. With what it had produced.
    Idled(Duration, Option<WorkerResult>),
    /// The task's deadline has passed. With what the attempt had produced.
    TooLate(Duration, Option<WorkerResult>),
    /// The attempt was told to stop because the task's end was asked for.
    Cancelled(Option<WorkerResult>),
    /// The attempt was told to stop because the engine shuts down.
    Interrupted(CrashPolicy, Option<WorkerResult>),
}

impl Outcome {
    /// When a usage limit resets that the attempt, which ended `now`, has met. `None` if it met none,
    /// or if it is not known when, or too late to wait for.
    #[must_use]
    pub fn limit_resets_at(&self, now: Timestamp) -> Option<Timestamp> {
        let wait = match self {
            Self::Judged(_, decision) => wait_of(decision, now)?,
            Self::Limited(error, decision) => match error.kind() {
                ErrorKind::Permanent | ErrorKind::Transient => wait_of(decision, now)?,
                ErrorKind::RetryAfter(wait) => wait,
                _ => return None,
            },
            Self::Failed(error) => match error.kind() {
                ErrorKind::RetryAfter(wait) if error.code() == FailureCode::RateLimited => wait,
                _ => return None,
            },
            _ => return None,
        };
        (wait <= PARKED_MAX).then(|| now.saturating_add(wait))
    }

    /// The same, without secrets in what was said of a failure. What was produced stays as it is.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Self {
        let clean = |text: &str| redactor.redact(text).into_owned();
        match self {
            Self::Failed(error) => Self::Failed(error.reworded(clean)),
            Self::Judged(result, decision) => Self::Judged(result, decision.reworded(clean)),
            Self::Limited(error, decision) => {
                Self::Limited(error.reworded(clean), decision.reworded(clean))
            }
            Self::Panicked(text) => Self::Panicked(clean(&text)),
            other => other,
        }
    }
}

/// Turns the outcome of an attempt at `task`, which ended `now`, into the change that follows.
///
/// Pure: `unit`, from 0 to 1, is where chance comes in, as jitter of the wait before a retry.
///
/// ```
/// use loom_core::{decide, GateDecision, Kind, Outcome, RetryPolicy, WorkerResult};
/// # use loom_core::{NewTask, TaskId, TaskRequest};
/// # use loom_deps::Timestamp;
/// # let now = Timestamp::from_micros(0);
/// # let new = NewTask {
/// #     id: TaskId::new("id-0").unwrap(),
/// #     engine_name: "default".into(),
/// #     request: TaskRequest::new("greet", "world"),
/// #     created_at: now,
/// #     pinned_to: None,
/// #     daemon_id: None,
/// # };
/// # let task = new.into_task(1);
/// let outcome = Outcome::Judged(WorkerResult::new("hello"), GateDecision::pass());
/// let change = decide(&task, outcome, &RetryPolicy::default(), now, 0.5);
/// assert_eq!(change.kind, Kind::Complete);
/// ```
#[must_use]
pub fn decide(
    task: &Task,
    outcome: Outcome,
    policy: &RetryPolicy,
    now: Timestamp,
    unit: f64,
) -> Transition {
    let retry = Retry { task, policy, now, unit };
    match outcome {
        Outcome::Judged(result, decision) if decision.accept => {
            Transition::complete(task, now, ended(task, Some(result), None))
        }
        Outcome::Judged(result, decision) => {
            let error = format!("gate rejected: {}", decision.reason);
            let ended = ended(task, Some(result), Some((code_of(&decision), error)));
            retry.as_judged(&decision, RetryReason::Rejected, ended)
        }
        Outcome::Failed(error) => failed(&retry, error),
        Outcome::Limited(error, decision) => limited(&retry, error, &decision),
        Outcome::Held(held) => {
            let error = format!("the account {} is held until {}", held.account, held.until);
            let ended = ended(task, None, Some((FailureCode::RateLimited, error)));
            retry.at(held.until.max(now), RetryReason::Parked, ended)
        }
        Outcome::Panicked(text) => {
            let error = (FailureCode::Panic, format!("the worker panicked: {text}"));
            Transition::crash(task, now, ended(task, None, Some(error)))
        }
        Outcome::TimedOut(after, output) => {
            let error = (FailureCode::Timeout, format!("timed out after {after:?}"));
            retry.or_fail(true, RetryReason::Failed, ended(task, output, Some(error)))
        }
        Outcome::Idled(after, output) => {
            let error = (FailureCode::IdleTimeout, format!("no sign of life for {after:?}"));
            retry.or_fail(true, RetryReason::Failed, ended(task, output, Some(error)))
        }
        Outcome::TooLate(after, output) => {
            let error = (FailureCode::Deadline, format!("not done within {after:?}"));
            Transition::fail(task, now, ended(task, output, Some(error)))
        }
        Outcome::Cancelled(output) => Transition::cancel(task, now, ended(task, output, None)),
        Outcome::Interrupted(policy, output) => {
            let error = "the engine was shut down before the attempt ended".to_owned();
            let ended = ended(task, output, Some((FailureCode::Interrupted, error)));
            if policy == CrashPolicy::Rerun && task.interruptions < UNCOUNTED_MAX {
                Transition::release(task, now, ended)
            } else {
                Transition::fail(task, now, ended)
            }
        }
    }
}

fn failed(retry: &Retry<'_>, mut error: WorkerError) -> Transition {
    let (task, now) = (retry.task, retry.now);
    let output = error.take_output();
    let said = Some((error.code(), error.message().to_owned()));
    match error.kind() {
        ErrorKind::Permanent => Transition::fail(task, now, ended(task, output, said)),
        ErrorKind::Transient | ErrorKind::Timeout => {
            retry.or_fail(true, RetryReason::Failed, ended(task, output, said))
        }
        ErrorKind::RetryAfter(wait) => retry.parked(wait, ended(task, output, said)),
        ErrorKind::Cancelled => Transition::cancel(task, now, ended(task, output, None)),
    }
}

/// A failure that a limit explains: what the gate says of it is better than what the worker says of
/// trying again, unless the worker knows more itself.
fn limited(retry: &Retry<'_>, mut error: WorkerError, decision: &GateDecision) -> Transition {
    if !matches!(error.kind(), ErrorKind::Permanent | ErrorKind::Transient) {
        return failed(retry, error);
    }
    let output = error.take_output();
    let said = (code_of(decision), error.message().to_owned());
    retry.as_judged(decision, RetryReason::Failed, ended(retry.task, output, Some(said)))
}

/// How long to wait for the limit that the gate has seen.
fn wait_of(decision: &GateDecision, now: Timestamp) -> Option<Duration> {
    let is_limit = !decision.accept && decision.retry && decision.reason == RateLimit::REASON;
    decision.retry_after.filter(|_| is_limit).map(|reset| reset.wait(now))
}

fn code_of(decision: &GateDecision) -> FailureCode {
    match &*decision.reason {
        // A limit that no waiting lifts is a quota.
        RateLimit::REASON if !decision.retry => FailureCode::Quota,
        RateLimit::REASON => FailureCode::RateLimited,
        _ => FailureCode::GateRejected,
    }
}

struct Retry<'a> {
    task: &'a Task,
    policy: &'a RetryPolicy,
    now: Timestamp,
    unit: f64,
}

impl Retry<'_> {
    fn or_fail(&self, may_help: bool, reason: RetryReason, ended: Ended) -> Transition {
        let max_retries = self.task.max_retries.unwrap_or(self.policy.max_retries);
        if !may_help || self.task.retries >= max_retries {
            return Transition::fail(self.task, self.now, ended);
        }
        let wait = self.policy.backoff(self.task.retries, self.unit);
        self.at(self.now.saturating_add(wait), reason, ended)
    }

    /// Another attempt, unless it would come after the task's deadline.
    fn at(&self, due: Timestamp, reason: RetryReason, mut ended: Ended) -> Transition {
        if self.task.over_at().is_none_or(|over| due < over) {
            return Transition::retry(self.task, self.now, due, reason, ended);
        }
        let said = ended.error.unwrap_or_default();
        let error = format!("{said}; the next attempt would come after the deadline");
        ended.error = Some(head_and_tail(error, ERROR_BYTES_MAX));
        ended.failure = Some(FailureCode::Deadline);
        Transition::fail(self.task, self.now, ended)
    }

    /// Waits until the gate says that a limit resets; without that, for the usual time.
    fn as_judged(&self, decision: &GateDecision, reason: RetryReason, ended: Ended) -> Transition {
        match decision.retry_after.filter(|_| decision.retry) {
            Some(reset) => self.parked(reset.wait(self.now), ended),
            None => self.or_fail(decision.retry, reason, ended),
        }
    }

    fn parked(&self, wait: Duration, mut ended: Ended) -> Transition {
        let due = self.now.saturating_add(wait);
        if wait <= PARKED_MAX && self.task.parked() < UNCOUNTED_MAX {
            return self.at(due, RetryReason::Parked, ended);
        }
        let said = ended.error.unwrap_or_default();
        let error = format!("{said}; not before {due}, which is beyond the longest wait");
        ended.error = Some(head_and_tail(error, ERROR_BYTES_MAX));
        Transition::fail(self.task, self.now, ended)
    }
}

fn ended(task: &Task, output: Option<WorkerResult>, error: Option<(FailureCode, String)>) -> Ended {
    let WorkerResult { content, metadata } = output.unwrap_or_default();
    let (failure, error) = error.unzip();
    // A failed task always says something, even if its worker did not.
    let said = |text: String| match failure {
        Some(code) if text.trim().is_empty() => code.to_string(),
        _ => head_and_tail(text, ERROR_BYTES_MAX),
    };
    Ended {
        result: head_and_tail(content, RESULT_BYTES_MAX),
        error: error.map(said),
        failure,
        metadata: merged(&task.metadata, metadata),
    }
}

/// The worker's values win. `None` if there is nothing to add.
fn merged(task: &Metadata, added: Metadata) -> Option<Metadata> {
    if added.is_empty() {
        return None;
    }
    let mut metadata = task.clone();
    metadata.extend(added);
    Some(metadata)
}
