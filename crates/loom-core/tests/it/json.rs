//! Tasks and events are written under the names of the Go library.

use std::time::Duration;

use loom_core::{
    Ended, EnvValue, EventType, FailureCode, StatusCounts, Task, TaskEvent, TaskRequest,
    TaskStatus, Transition,
};
use serde_json::{Value, json};

use crate::support::{at, me, running, task, task_of};

fn full() -> Task {
    let request = TaskRequest::new("cli", "fix it")
        .project("website")
        .request_id("r-1")
        .cwd("/srv")
        .env("LANG", "C")
        .env("KEY", EnvValue::from_host("WORK_KEY"))
        .cli("claude")
        .role("developer")
        .model("large")
        .effort("high")
        .timeout(Duration::from_millis(1500))
        .idle_timeout(Duration::from_millis(300))
        .deadline(Duration::from_secs(7))
        .metadata("a", 1);
    let mut task = task_of(request);
    task.claim(&me(), at(1));
    let ended = Ended {
        result: "half".to_owned(),
        error: Some("broke".to_owned()),
        failure: Some(FailureCode::ExitStatus),
        metadata: None,
    };
    let fail = Transition::fail(&task, at(2), ended);
    task.apply(&fail, &me());
    task
}

#[test]
fn a_task_has_the_names_of_the_go_library() {
    let written = json!(full());
    let expected = json!({
        "id": "id-0",
        "status": "failed",
        "worker_type": "cli",
        "project_id": "website",
        "request_id": "r-1",
        "engine_name": "default",
        "prompt": "fix it",
        "cwd": "/srv",
        "env": {"LANG": "[hidden]", "KEY": "from_host(WORK_KEY)"},
        "cli": "claude",
        "role": "developer",
        "model": "large",
        "effort": "high",
        "timeout": 2,
        "timeout_ms": 1500,
        "idle_timeout_ms": 300,
        "deadline_ms": 7000,
        "metadata": {"a": 1},
        "result": "half",
        "error": "broke",
        "retries": 0,
        "created_at": "2026-01-01T00:00:00Z",
        "dispatched_at": "2026-01-01T00:00:01Z",
        "completed_at": "2026-01-01T00:00:02Z",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(written.get(name), Some(value), "{name}");
    }
    assert_eq!(written.get("failure"), Some(&json!("exit_status")), "and the code beside the text");
    assert_eq!(written.get("seq"), Some(&json!(1)));
}

#[test]
fn what_a_task_does_not_have_is_left_out() {
    let written = json!(task());
    for name in [
        "request_id",
        "cwd",
        "env",
        "cli",
        "role",
        "model",
        "effort",
        "timeout",
        "timeout_ms",
        "idle_timeout_ms",
        "deadline_ms",
        "metadata",
        "result",
        "error",
        "failure",
        "dispatched_at",
        "started_at",
        "completed_at",
        "instance",
        "pinned_to",
        "progress",
        "cancel_requested_at",
        "max_retries",
    ] {
        assert_eq!(written.get(name), None, "{name}");
    }
    for name in ["id", "status", "worker_type", "project_id", "prompt", "retries", "created_at"] {
        assert!(written.get(name).is_some(), "{name}");
    }
}

#[test]
fn a_timeout_in_whole_seconds_is_never_none() {
    for (timeout, seconds, millis) in [
        (Duration::from_micros(1), 1, 0),
        (Duration::from_millis(999), 1, 999),
        (Duration::from_secs(30), 30, 30_000),
        (Duration::from_millis(30_001), 31, 30_001),
    ] {
        let written = json!(task_of(TaskRequest::new("work", "").timeout(timeout)));
        assert_eq!(written.get("timeout"), Some(&json!(seconds)), "{timeout:?}");
        assert_eq!(written.get("timeout_ms"), Some(&json!(millis)), "{timeout:?}");
    }
}

#[test]
fn progress_is_written_once_there_is_some() {
    let mut task = running();
    task.report(&loom_core::ProgressReport {
        task: task.id.clone(),
        epoch: task.epoch,
        line: "half way".to_owned(),
        lines: 3,
        at: at(5),
    });
    let expected = json!({"line": "half way", "lines": 3, "at": "2026-01-01T00:00:05Z"});
    assert_eq!(json!(task).get("progress"), Some(&expected));
}

#[test]
fn an_event_has_the_names_of_the_go_library() {
    let kind = EventType::Retrying;
    let mut event = TaskEvent::new(kind, task().id, TaskStatus::Retrying, at(3), 12);
    event.project_id = "website".to_owned();
    let expected = json!({
        "type": "task.retrying",
        "task_id": "id-0",
        "project_id": "website",
        "status": "retrying",
        "timestamp": "2026-01-01T00:00:03Z",
        "sequence": 12,
        "attempt": 0,
    });
    assert_eq!(json!(event), expected);
    event.request_id = Some("r-1".to_owned());
    event.reason = Some("rejected");
    assert_eq!(json!(event).get("request_id"), Some(&json!("r-1")));
    assert_eq!(json!(event).get("reason"), Some(&json!("rejected")));
}

#[test]
fn counts_are_written_for_every_status() {
    let mut counts = StatusCounts::default();
    counts.add(TaskStatus::Failed, 2);
    counts.add(TaskStatus::Failed, 1);
    let written = json!(counts);
    assert_eq!(written.as_object().map(serde_json::Map::len), Some(8));
    assert_eq!(written.get("failed"), Some(&json!(3)));
    assert_eq!(written.get("pending"), Some(&json!(0)));
    assert_eq!(counts.total(), 3);
    assert!(matches!(written, Value::Object(_)));
}
