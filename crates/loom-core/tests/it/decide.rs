//! What follows from the outcome of an attempt.

use std::time::Duration;

use loom_core::{
    CrashPolicy, Ended, FailureCode, GateDecision, Held, Kind, Outcome, Reset, RetryPolicy,
    RetryReason, Task, Transition, WorkerError, WorkerResult, decide, limits,
};
use serde_json::json;

use crate::support::{at, running};

/// What follows at second 10, with half of every wait.
fn follows(task: &Task, outcome: Outcome) -> Transition {
    decide(task, outcome, &RetryPolicy::default(), at(10), 0.5)
}

fn failed(error: WorkerError) -> Transition {
    follows(&running(), Outcome::Failed(error))
}

fn retried(retries: u32) -> Task {
    let mut task = running();
    task.retries = retries;
    task
}

fn half_done() -> WorkerResult {
    WorkerResult::new("half of it").with("exit_code", 7)
}

fn rejected(decision: GateDecision) -> Outcome {
    Outcome::Judged(half_done(), decision)
}

/// Kind, reason and seconds until the next attempt.
fn gist(change: &Transition) -> (Kind, Option<RetryReason>, Option<f64>) {
    let wait = change.due.map(|due| due.since(at(10)).as_secs_f64());
    (change.kind, change.reason, wait)
}

fn code(change: &Transition) -> Option<FailureCode> {
    change.ended.failure
}

fn error(change: &Transition) -> &str {
    change.ended.error.as_deref().unwrap_or_default()
}

#[test]
fn a_change_is_made_for_the_claim_of_its_task_and_for_now() {
    let task = running();
    let change = follows(&task, Outcome::Judged("done".into(), GateDecision::pass()));
    assert_eq!((change.task, change.epoch, change.at), (task.id, task.epoch, at(10)));
}

#[test]
fn a_task_of_a_held_account_waits_for_it_without_being_counted() {
    let held = |until| Held { account: "anthropic".into(), until: at(until) };
    let change = follows(&running(), Outcome::Held(held(3 * 86_400)));
    let wait = f64::from(3 * 86_400 - 10);
    assert_eq!(gist(&change), (Kind::Retry, Some(RetryReason::Parked), Some(wait)));
    assert_eq!(code(&change), Some(FailureCode::RateLimited));
    assert!(error(&change).starts_with("the account anthropic is held until 2026"), "{change:?}");
    let over = follows(&running(), Outcome::Held(held(5)));
    assert_eq!(gist(&over), (Kind::Retry, Some(RetryReason::Parked), Some(0.0)));
    let mut hasty = running();
    hasty.deadline = Some(Duration::from_secs(60));
    let change = follows(&hasty, Outcome::Held(held(100)));
    assert_eq!((change.kind, code(&change)), (Kind::Fail, Some(FailureCode::Deadline)));
}

#[test]
fn only_a_limit_with_a_known_reset_that_can_be_waited_for_is_told() {
    let hour = Duration::from_secs(3600);
    let resets = |outcome: Outcome| outcome.limit_resets_at(at(10));
    let limit = |wait| GateDecision {
        retry_after: Some(Reset::After(wait)),
        ..GateDecision::retry("rate_limit_error")
    };
    let other = GateDecision { retry_after: Some(Reset::After(hour)), ..GateDecision::retry("no") };
    assert_eq!(resets(rejected(limit(hour))), Some(at(3610)));
    assert_eq!(resets(rejected(limit(limits::PARKED_MAX))), Some(at(10 + 86_400)));
    assert_eq!(resets(rejected(limit(limits::PARKED_MAX + hour))), None);
    assert_eq!(resets(rejected(GateDecision::retry("rate_limit_error"))), None);
    assert_eq!(resets(rejected(other)), None);
    let told = || WorkerError::retry_after(hour / 2, "limit");
    assert_eq!(resets(Outcome::Failed(told())), Some(at(1810)));
    let unready = told().with_code(FailureCode::HttpStatus);
    assert_eq!(resets(Outcome::Failed(unready)), None);
    assert_eq!(resets(Outcome::Limited(told(), limit(hour))), Some(at(1810)));
    let broken = WorkerError::permanent("broken");
    assert_eq!(resets(Outcome::Limited(broken, limit(hour))), Some(at(3610)));
    let late = WorkerError::timeout("late");
    assert_eq!(resets(Outcome::Limited(late, limit(hour))), None);
    assert_eq!(resets(Outcome::Panicked("limit".into())), None);
}

#[test]
fn an_accepted_result_completes_the_task() {
    let change = follows(&running(), Outcome::Judged(half_done(), GateDecision::pass()));
    assert_eq!(gist(&change), (Kind::Complete, None, None));
    assert_eq!(change.ended.result, "half of it");
    assert_eq!((change.ended.error, change.ended.failure), (None, None));
}

#[test]
fn a_rejected_result_is_retried_while_that_may_help_and_retries_are_left() {
    let retry = || rejected(GateDecision::retry("too_short"));
    let change = follows(&retried(0), retry());
    assert_eq!(gist(&change), (Kind::Retry, Some(RetryReason::Rejected), Some(0.5)));
    let change = follows(&retried(1), retry());
    assert_eq!(gist(&change), (Kind::Retry, Some(RetryReason::Rejected), Some(1.0)));
    let change = follows(&retried(2), retry());
    assert_eq!(gist(&change), (Kind::Fail, None, None));
    assert_eq!(code(&change), Some(FailureCode::GateRejected));
    assert_eq!(error(&change), "gate rejected: too_short");
    assert_eq!(change.ended.result, "half of it", "what was rejected is kept");
}

#[test]
fn a_result_that_no_retry_would_better_fails_at_once() {
    let change = follows(&retried(0), rejected(GateDecision::reject("thrashing")));
    assert_eq!(gist(&change), (Kind::Fail, None, None));
    assert_eq!(error(&change), "gate rejected: thrashing");
}

#[test]
fn an_output_that_is_a_rate_limit_has_its_own_code() {
    let change = follows(&retried(2), rejected(GateDecision::retry("rate_limit_error")));
    assert_eq!(code(&change), Some(FailureCode::RateLimited));
}

#[test]
fn the_number_of_retries_of_the_request_beats_that_of_the_policy() {
    let wants = |max_retries, retries| {
        let mut task = retried(retries);
        task.max_retries = Some(max_retries);
        follows(&task, Outcome::Failed(WorkerError::transient("no"))).kind
    };
    assert_eq!(wants(0, 0), Kind::Fail);
    assert_eq!(wants(1, 0), Kind::Retry);
    assert_eq!(wants(1, 1), Kind::Fail);
    assert_eq!(wants(5, 4), Kind::Retry);
}

#[test]
fn a_permanent_error_fails_the_task_at_once() {
    let change = failed(WorkerError::permanent("no such file").with_output(half_done()));
    assert_eq!(gist(&change), (Kind::Fail, None, None));
    assert_eq!((code(&change), error(&change)), (Some(FailureCode::WorkerError), "no such file"));
    assert_eq!(change.ended.result, "half of it", "what was produced before is kept");
}

#[test]
fn a_transient_error_is_retried_while_retries_are_left() {
    let change = failed(WorkerError::transient("busy").with_output(half_done()));
    assert_eq!(gist(&change), (Kind::Retry, Some(RetryReason::Failed), Some(0.5)));
    assert_eq!(change.ended.result, "half of it", "what was produced before is kept");
    let outcome = Outcome::Failed(WorkerError::transient("busy"));
    assert_eq!(follows(&retried(2), outcome).kind, Kind::Fail);
}

#[test]
fn an_error_keeps_the_code_that_its_worker_gave_it() {
    let change = failed(WorkerError::permanent("exit 3").with_code(FailureCode::ExitStatus));
    assert_eq!(code(&change), Some(FailureCode::ExitStatus));
}

#[test]
fn a_wait_that_is_named_is_kept_to_and_uses_up_no_retry() {
    let hour = Duration::from_secs(3600);
    let change = failed(WorkerError::retry_after(hour, "limit"));
    assert_eq!(gist(&change), (Kind::Retry, Some(RetryReason::Parked), Some(3600.0)));
    let outcome = Outcome::Failed(WorkerError::retry_after(limits::PARKED_MAX, "limit"));
    let change = follows(&retried(2), outcome);
    assert_eq!(change.kind, Kind::Retry, "also if no retry is left");
}

#[test]
fn a_wait_beyond_a_day_fails_at_once_and_says_when() {
    let wait = limits::PARKED_MAX + Duration::from_micros(1);
    let change = failed(WorkerError::retry_after(wait, "usage limit reached"));
    assert_eq!(gist(&change), (Kind::Fail, None, None));
    assert_eq!(code(&change), Some(FailureCode::RateLimited));
    let text = error(&change);
    assert!(text.starts_with("usage limit reached"), "{text}");
    assert!(text.contains("2026-01-02T00:00:10.000001Z"), "{text}");
    let change = failed(WorkerError::retry_after(Duration::MAX, "never"));
    assert_eq!(change.kind, Kind::Fail);
}

#[test]
fn a_task_does_not_wait_for_limits_without_end() {
    let parked = |times| {
        let mut task = running();
        task.attempt = times + 1;
        let error = WorkerError::retry_after(Duration::from_secs(1), "limit");
        follows(&task, Outcome::Failed(error)).kind
    };
    assert_eq!(parked(limits::UNCOUNTED_MAX - 1), Kind::Retry);
    assert_eq!(parked(limits::UNCOUNTED_MAX), Kind::Fail);
}

#[test]
fn a_timeout_is_retried_while_retries_are_left() {
    let timed_out = || Outcome::TimedOut(Duration::from_secs(90), Some(half_done()));
    let change = follows(&retried(0), timed_out());
    assert_eq!(gist(&change), (Kind::Retry, Some(RetryReason::Failed), Some(0.5)));
    let change = follows(&retried(2), timed_out());
    assert_eq!(gist(&change), (Kind::Fail, None, None));
    assert_eq!(
        (code(&change), error(&change)),
        (Some(FailureCode::Timeout), "timed out after 90s")
    );
    assert_eq!(change.ended.result, "half of it", "what was produced before is kept");
    let change = failed(WorkerError::timeout("took too long"));
    assert_eq!(gist(&change), (Kind::Retry, Some(RetryReason::Failed), Some(0.5)));
    assert_eq!(code(&change), Some(FailureCode::Timeout));
}

#[test]
fn silence_for_too_long_is_retried_as_a_timeout_is() {
    let idled = || Outcome::Idled(Duration::from_secs(60), Some(half_done()));
    let change = follows(&retried(0), idled());
    assert_eq!(gist(&change), (Kind::Retry, Some(RetryReason::Failed), Some(0.5)));
    let change = follows(&retried(2), idled());
    assert_eq!((change.kind, code(&change)), (Kind::Fail, Some(FailureCode::IdleTimeout)));
    assert_eq!(error(&change), "no sign of life for 60s");
    assert_eq!(change.ended.result, "half of it", "what was produced before is kept");
}

#[test]
fn a_task_whose_deadline_has_passed_fails_at_once() {
    let late = Outcome::TooLate(Duration::from_secs(60), Some(half_done()));
    let change = follows(&retried(0), late);
    assert_eq!(gist(&change), (Kind::Fail, None, None));
    assert_eq!(
        (code(&change), error(&change)),
        (Some(FailureCode::Deadline), "not done within 60s")
    );
    assert_eq!(change.ended.result, "half of it");
}

#[test]
fn an_attempt_that_would_come_after_the_deadline_is_not_waited_for() {
    let before = |deadline: Duration, error: WorkerError| {
        let mut task = running();
        task.deadline = Some(deadline);
        follows(&task, Outcome::Failed(error))
    };
    // At second 10 the next attempt is half a second away.
    let (edge, moment) = (Duration::from_millis(10_500), Duration::from_micros(1));
    let change = before(edge + moment, WorkerError::transient("busy"));
    assert_eq!(gist(&change), (Kind::Retry, Some(RetryReason::Failed), Some(0.5)));
    let change = before(edge, WorkerError::transient("busy"));
    assert_eq!(gist(&change), (Kind::Fail, None, None));
    assert_eq!(code(&change), Some(FailureCode::Deadline));
    assert!(error(&change).starts_with("busy; "), "{}", error(&change));
    let hour = Duration::from_secs(3600);
    let change = before(hour, WorkerError::retry_after(hour, "limit"));
    assert_eq!((change.kind, code(&change)), (Kind::Fail, Some(FailureCode::Deadline)));
}

#[test]
fn a_cancelled_attempt_cancels_the_task_and_keeps_its_output() {
    let change = follows(&running(), Outcome::Cancelled(Some(half_done())));
    assert_eq!(gist(&change), (Kind::Cancel, None, None));
    assert_eq!((change.ended.error.as_deref(), change.ended.failure), (None, None));
    assert_eq!(change.ended.result, "half of it");
    let change = failed(WorkerError::cancelled().with_output(half_done()));
    assert_eq!(gist(&change), (Kind::Cancel, None, None));
    assert_eq!((change.ended.error.as_deref(), change.ended.failure), (None, None));
    assert_eq!(change.ended.result, "half of it");
}

#[test]
fn an_interrupted_attempt_is_given_back_where_its_type_may_run_again() {
    let interrupted = |policy| Outcome::Interrupted(policy, Some(half_done()));
    let change = follows(&running(), interrupted(CrashPolicy::Rerun));
    assert_eq!(gist(&change), (Kind::Retry, Some(RetryReason::Interrupted), Some(0.0)));
    let change = follows(&running(), interrupted(CrashPolicy::Fail));
    assert_eq!(gist(&change), (Kind::Fail, None, None));
    assert_eq!(code(&change), Some(FailureCode::Interrupted));
    assert!(!error(&change).is_empty());
    assert_eq!(change.ended.result, "half of it");
    let mut often = running();
    often.interruptions = limits::UNCOUNTED_MAX;
    assert_eq!(follows(&often, interrupted(CrashPolicy::Rerun)).kind, Kind::Fail);
}

#[test]
fn a_panic_is_a_crash_that_is_not_retried() {
    let change = follows(&running(), Outcome::Panicked("index out of bounds".to_owned()));
    assert_eq!(gist(&change), (Kind::Crash, None, None));
    assert_eq!(code(&change), Some(FailureCode::Panic));
    assert_eq!(error(&change), "the worker panicked: index out of bounds");
}

#[test]
fn a_failed_task_always_says_something() {
    for text in ["", " \n\t"] {
        assert_eq!(error(&failed(WorkerError::permanent(text))), "worker_error");
        let coded = WorkerError::permanent(text).with_code(FailureCode::ExitStatus);
        assert_eq!(error(&failed(coded)), "exit_status");
    }
}

#[test]
fn a_huge_result_keeps_head_and_tail_within_the_limit() {
    let content = format!("head{}tail", "ü".repeat(limits::RESULT_BYTES_MAX));
    let change = follows(&running(), Outcome::Judged(content.into(), GateDecision::pass()));
    let kept = change.ended.result;
    assert!(kept.len() <= limits::RESULT_BYTES_MAX, "{} bytes", kept.len());
    assert!(kept.len() > limits::RESULT_BYTES_MAX - 100, "{} bytes", kept.len());
    assert!(kept.starts_with("head") && kept.ends_with("tail") && kept.contains("bytes cut"));
    let exactly = "x".repeat(limits::RESULT_BYTES_MAX);
    let outcome = Outcome::Judged(exactly.clone().into(), GateDecision::pass());
    assert!(follows(&running(), outcome).ended.result == exactly, "within the limit all is kept");
}

#[test]
fn a_huge_error_keeps_head_and_tail_within_the_limit() {
    let text = format!("head{}tail", "x".repeat(limits::ERROR_BYTES_MAX));
    let far = Duration::from_secs(365 * 24 * 60 * 60);
    for change in [
        failed(WorkerError::permanent(text.clone())),
        failed(WorkerError::transient(text.clone())),
        follows(&running(), Outcome::Panicked(text.clone())),
        failed(WorkerError::retry_after(far, text)),
    ] {
        let kept = error(&change);
        assert!(kept.len() <= limits::ERROR_BYTES_MAX, "{} bytes", kept.len());
        assert!(kept.contains("head") && kept.contains("bytes cut"), "{:?}", change.kind);
    }
}

#[test]
fn values_of_the_worker_are_merged_into_those_of_the_task_and_win() {
    let mut task = running();
    task.metadata = json!({"kept": 1, "exit_code": 0}).as_object().cloned().unwrap();
    let expected = json!({"kept": 1, "exit_code": 7}).as_object().cloned();
    for outcome in [
        Outcome::Judged(half_done(), GateDecision::pass()),
        Outcome::Failed(WorkerError::permanent("no").with_output(half_done())),
        Outcome::Cancelled(Some(half_done())),
    ] {
        assert_eq!(follows(&task, outcome).ended.metadata, expected);
    }
    let silent = Outcome::Judged("done".into(), GateDecision::pass());
    assert_eq!(follows(&task, silent).ended.metadata, None, "nothing to add leaves what is there");
}

#[test]
fn an_attempt_without_output_leaves_an_empty_result() {
    for outcome in [
        Outcome::Cancelled(None),
        Outcome::Panicked("so".to_owned()),
        Outcome::TimedOut(Duration::from_secs(1), None),
        Outcome::Interrupted(CrashPolicy::Fail, None),
    ] {
        let Ended { result, metadata, .. } = follows(&running(), outcome).ended;
        assert_eq!((result.as_str(), metadata), ("", None));
    }
}
