//! Messages of rate limits are told from answers that talk about them.

use std::time::Duration;

use loom_core::{
    Case, FailureCode, Kind, LimitKind, Outcome, QualityGate, RateLimit, RetryPolicy, RetryReason,
    Rule, Transition, WorkerError, WorkerResult, decide, find_limit,
};
use loom_deps::Timestamp;
use proptest::prelude::*;
use serde::Deserialize;

use crate::support::{at, running, task};

fn is_limit(output: &str) -> bool {
    RateLimit.check(&Case::new(&task(), output, &[])).is_some()
}

#[test]
fn what_providers_write_is_recognised() {
    for output in [
        "Error: 429 Too Many Requests",
        "HTTP 429: too many requests",
        "API Error: Rate limit reached for requests",
        "Rate limit exceeded. Please try again in 20s.",
        "rate-limited",
        "You exceeded your current quota, please check your plan and billing details.",
        "You've hit your usage limit.",
        "You have reached your weekly limit",
        "Claude AI usage limit reached|1767225600",
        "Request was throttled. Expected available in 3 seconds.",
        "Overloaded",
        "Resource has been exhausted (e.g. check quota).",
        "  \n⚠ 429 Too many requests\n",
        "connecting to the server\nerror: too many requests\n",
    ] {
        assert!(is_limit(output), "{output:?}");
    }
}

#[test]
fn error_objects_that_name_a_limit_are_recognised() {
    for output in [
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}"#,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        r#"{"error":{"message":"You exceeded...","type":"insufficient_quota","code":"x"}}"#,
        r#"{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}"#,
        r#"[{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}]"#,
        r#"{"error":"rate_limit_exceeded"}"#,
        r#"{"error":"Too many requests"}"#,
        r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#,
        " {\"error\": {\"code\": 529, \"message\": \"overloaded\"}} \n",
    ] {
        assert!(is_limit(output), "{output}");
    }
}

#[test]
fn objects_that_are_answers_pass() {
    for output in [
        r#"{"result":"rate_limit_error is the type to look for"}"#,
        r#"{"error":{"type":"invalid_request_error","message":"bad"}}"#,
        r#"{"error":null,"answer":"rate limit"}"#,
        r#"{"code":4290,"message":"ok"}"#,
        r#"["rate limit", "too many requests"]"#,
        "[]",
        "{}",
        "{ rate limit }",
    ] {
        assert!(!is_limit(output), "{output}");
    }
}

#[test]
fn answers_that_talk_about_limits_pass() {
    let long =
        format!("Rate limits protect a server.\n{}", "They are counted per key. ".repeat(40));
    let code =
        "```rust\nif response.status() == 429 {\n    return Err(Error::RateLimited);\n}\n```";
    let docs = "# Limits\n\nThe server answers 429 when the rate limit is reached; wait and retry.";
    let list = "Handled cases:\n- the response is a 429\n- the quota is exceeded\n- all others";
    for output in [
        long.as_str(),
        code,
        docs,
        list,
        "I added handling for \"429 Too Many Requests\" to the client.",
        "The function retries when it is throttled.",
        "4290 rows were imported.",
        "The rate limit is 60 requests per minute.",
        "Fixed the overloaded constructor.",
        "error: expected `;`",
        "",
    ] {
        assert!(!is_limit(output), "{output:?}");
    }
}

#[test]
fn a_long_answer_passes_even_if_a_line_reads_like_a_message() {
    let message = "429 Too Many Requests";
    let answer = format!("{}\n{message}\n{}", "Before. ".repeat(60), "After. ".repeat(60));
    assert!(is_limit(message));
    assert!(!is_limit(&answer));
}

#[derive(Deserialize)]
struct Labelled {
    text: String,
    rate_limited: bool,
}

/// Recall, rate of false positives, and false positives among texts of over 600 characters.
fn figures(corpus: &str) -> (f64, f64, usize) {
    let labelled: Vec<Labelled> =
        corpus.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (messages, others): (Vec<_>, Vec<_>) = labelled.iter().partition(|one| one.rate_limited);
    let found = |one: &&&Labelled| find_limit(&one.text, false, at(0)).is_some();
    let wrong: Vec<_> = others.iter().filter(found).collect();
    let long = wrong.iter().filter(|one| one.text.chars().count() > 600).count();
    #[expect(clippy::cast_precision_loss, reason = "a few hundred lines")]
    let share = |part: usize, whole: usize| part as f64 / whole as f64;
    let recall = share(messages.iter().filter(found).count(), messages.len());
    (recall, share(wrong.len(), others.len()), long)
}

#[test]
fn of_real_messages_nearly_all_are_recognised_and_hardly_anything_else_is() {
    for corpus in [
        include_str!("../data/rate_limits.jsonl"),
        include_str!("../data/rate_limits_a.jsonl"),
        include_str!("../data/rate_limits_b.jsonl"),
    ] {
        let (recall, false_positives, long) = figures(corpus);
        assert!(recall >= 0.97, "recall {recall}");
        assert!(false_positives <= 0.01, "false positives {false_positives}");
        assert_eq!(long, 0);
    }
}

#[test]
fn failed_work_is_asked_less() {
    let text = "Rate limit reached.\nThe first three pages were written to disk.";
    assert_eq!(find_limit(text, false, at(0)), None);
    assert!(find_limit(text, true, at(0)).is_some());
    assert_eq!(find_limit("error: too many open files", true, at(0)), None);
}

/// When the limit resets of which `text` tells at 2026-11-22T10:00:00Z, a Sunday: seconds later.
fn resets_in(text: &str) -> Option<f64> {
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let limit = find_limit(text, true, now).unwrap();
    limit.resets.map(|reset| reset.wait(now).as_secs_f64())
}

#[test]
fn a_message_tells_how_long_to_wait() {
    for (text, seconds) in [
        ("Rate limit reached. Please try again in 2.899s.", 2.899),
        ("Rate limit exceeded. Try again in 250ms.", 0.25),
        ("Rate limit reached. Please try again in 1m30.002s. Visit the site.", 90.002),
        ("You exceeded your current quota. Please retry in 20s.", 20.0),
        ("Rate limit reached. Try again in 1 hour 5 minutes.", 3900.0),
        ("Too many requests. Please retry after 9 seconds.", 9.0),
        ("You've hit your usage limit. Try again in 2 days 3 hours 4 minutes.", 183_840.0),
        (
            "You have exhausted your capacity on this model. Your quota will reset after 20h41m9s.",
            74_469.0,
        ),
        ("Rate limit reached, wait 60 seconds.", 60.0),
        ("Number of requests exceeded the limit. Please try again after '6' seconds.", 6.0),
        ("Rate limit reached. Try again in 5:41:08", 20_468.0),
        ("You have been doing that a lot. Take a break for 9 minutes. Rate limit reached.", 540.0),
        ("Request was throttled. Expected available in 7 seconds.", 7.0),
        ("FloodWaitError: A wait of 233 seconds is required", 233.0),
        ("Request rate limit exceeded, please try again 5 minutes later.", 300.0),
        ("Free limit reached. Limit resets in 5h 12m.", 18_720.0),
        (r#"{"error":{"type":"usage_limit_reached","resets_in_seconds":14210}}"#, 14_210.0),
        (
            r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"34s"}]}}"#,
            34.0,
        ),
        (r#"{"message":"You are being rate limited.","retry_after":64.57}"#, 64.57),
        ("HTTP/1.1 429 Too Many Requests\nRetry-After: 30\n", 30.0),
        ("HTTP/1.1 429 Too Many Requests\nretry-after-ms: 1500\n", 1.5),
        ("HTTP/1.1 503 Service Unavailable\nRetry-After: Sun, 22 Nov 2026 10:05:00 GMT\n", 300.0),
    ] {
        assert_eq!(resets_in(text), Some(seconds), "{text}");
    }
}

#[test]
fn a_message_tells_at_what_time_its_limit_resets() {
    for (text, seconds) in [
        ("Claude AI usage limit reached|1795345200", 3600.0),
        ("usage limit reached, reset_at=1795345200000", 3600.0),
        ("Usage limit reached, resets at 2026-11-22T12:00:00+01:00", 3600.0),
        ("API usage limits reached. You will regain access on 2026-11-23 at 00:00 UTC.", 50_400.0),
        ("5-hour limit reached ∙ resets 3pm (Europe/Berlin)", 14_400.0),
        ("5-hour limit reached ∙ resets 2am", 57_600.0),
        ("Usage limit reached. Access resets at 10:57 PM GMT-3.", 57_420.0),
        ("You've hit your limit · resets 1:30am (Asia/Dhaka)", 34_200.0),
        ("Usage limit reached. Limits will reset at 10:30 AM.", 1800.0),
        ("Weekly limit reached ∙ resets Nov 24, 9am", 169_200.0),
        ("Weekly limit reached ∙ resets Jan 2 at 10pm", 3_585_600.0),
        ("You've hit your usage limit, try again at Nov 28th, 2026 2:14 AM.", 490_440.0),
        ("Weekly limit reached. Resets Monday at 9:00 AM (America/New_York).", 100_800.0),
        ("Daily limit reached. It resets at midnight Pacific time.", 79_200.0),
        ("You've hit your free requests limit. It will reset on 11/24/2026.", 136_800.0),
    ] {
        assert_eq!(resets_in(text), Some(seconds), "{text}");
    }
}

#[test]
fn what_is_over_or_unknown_is_no_reset() {
    for text in ["Claude AI usage limit reached|1766502000", "429 Too Many Requests"] {
        assert_eq!(resets_in(text), None, "{text}");
    }
}

#[test]
fn limits_are_told_apart() {
    let kind = |text| find_limit(text, true, at(0)).unwrap().kind;
    assert_eq!(kind("Rate limit reached for requests"), LimitKind::RateLimited);
    assert_eq!(kind("Error: 529 Overloaded"), LimitKind::Overloaded);
    assert_eq!(kind(r#"{"error":{"code":"insufficient_quota","message":"x"}}"#), LimitKind::Quota);
    assert_eq!(kind("Quota exceeded: 60 requests per minute"), LimitKind::RateLimited);
}

fn judged(text: &str) -> Transition {
    let task = running();
    let decision = RateLimit.check(&Case::new(&task, text, &[]).at(at(10))).unwrap();
    let outcome = Outcome::Judged(text.into(), decision);
    decide(&task, outcome, &RetryPolicy::default(), at(10), 0.5)
}

#[test]
fn a_task_is_parked_until_its_limit_resets() {
    let change = judged("Rate limit reached. Try again in 90s.");
    assert_eq!((change.kind, change.reason), (Kind::Retry, Some(RetryReason::Parked)));
    assert_eq!(change.due, Some(at(100)));
    assert_eq!(change.ended.failure, Some(FailureCode::RateLimited));
}

#[test]
fn a_limit_without_a_reset_is_retried_as_usual() {
    let change = judged("429 Too Many Requests");
    assert_eq!((change.kind, change.reason), (Kind::Retry, Some(RetryReason::Rejected)));
}

#[test]
fn a_reset_beyond_the_longest_wait_fails_at_once_and_says_when() {
    let change = judged("You've hit your usage limit, try again in 3 days.");
    assert_eq!((change.kind, change.ended.failure), (Kind::Fail, Some(FailureCode::RateLimited)));
    assert!(change.ended.error.unwrap().contains(&at(10 + 3 * 86_400).to_string()));
}

#[test]
fn a_used_up_quota_fails_at_once() {
    let change = judged("Your credit balance is too low to access the API.");
    assert_eq!((change.kind, change.ended.failure), (Kind::Fail, Some(FailureCode::Quota)));
}

/// What follows from an error with this output, judged by `gate`.
fn failed(gate: &QualityGate, error: WorkerError) -> Transition {
    let task = running();
    let evidence = error.evidence();
    let outcome = match gate.judge_failure(&Case::new(&task, &evidence, &[]).at(at(10))) {
        Some(decision) => Outcome::Limited(error, decision),
        None => Outcome::Failed(error),
    };
    decide(&task, outcome, &RetryPolicy::default(), at(10), 0.5)
}

fn exited(output: &str) -> WorkerError {
    let result = WorkerResult::new(output).with("stderr", "giving up");
    WorkerError::permanent("exit status 1").with_code(FailureCode::ExitStatus).with_output(result)
}

#[test]
fn a_limit_explains_a_failure() {
    let gate = QualityGate::default();
    let parked = failed(&gate, exited("usage limit reached, try again in 5 minutes"));
    assert_eq!((parked.kind, parked.reason), (Kind::Retry, Some(RetryReason::Parked)));
    assert_eq!(parked.due, Some(at(310)));
    let retried = failed(&gate, exited("Error: 429 Too Many Requests"));
    assert_eq!((retried.kind, retried.reason), (Kind::Retry, Some(RetryReason::Failed)));
    assert_eq!(retried.ended.failure, Some(FailureCode::RateLimited));
    assert_eq!(retried.ended.error.as_deref(), Some("exit status 1"));
    let quota = failed(&gate, exited("Error: insufficient credits"));
    assert_eq!((quota.kind, quota.ended.failure), (Kind::Fail, Some(FailureCode::Quota)));
}

#[test]
fn other_failures_and_plain_commands_are_left_alone() {
    let other = failed(&QualityGate::default(), exited("error: no such file"));
    assert_eq!((other.kind, other.ended.failure), (Kind::Fail, Some(FailureCode::ExitStatus)));
    let plain = failed(&QualityGate::accept_all(), exited("Error: 429 Too Many Requests"));
    assert_eq!((plain.kind, plain.ended.failure), (Kind::Fail, Some(FailureCode::ExitStatus)));
}

#[test]
fn a_worker_that_knows_when_to_come_back_is_believed() {
    let wait = Duration::from_secs(7);
    let error = WorkerError::retry_after(wait, "rate limit reached, try again in 5 minutes");
    assert_eq!(failed(&QualityGate::default(), error).due, Some(at(17)));
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in r"\PC{0,200}|[\s\S]{0,60}", failed: bool) {
        let _ = find_limit(&text, failed, at(0));
        let _ = find_limit(&format!("Rate limit reached, resets {text}"), failed, at(0));
    }
}
