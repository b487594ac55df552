//! Names print and read back.

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::str::FromStr;

use loom_core::{
    EventType, FailureCode, InstanceId, RetryReason, TaskId, TaskStatus, WorkerType, limits,
};
use serde::Serialize;

/// Each value prints as a word of its own, reads back and is written as that word.
fn round_trips<T>(values: &[T], words: &[&str])
where
    T: Copy + Debug + Display + FromStr + PartialEq + Serialize,
    T::Err: Debug,
{
    let printed: Vec<String> = values.iter().map(ToString::to_string).collect();
    assert_eq!(printed, words);
    for (value, word) in values.iter().zip(words) {
        assert_eq!(word.parse::<T>().unwrap(), *value);
        assert_eq!(serde_json::to_string(value).unwrap(), format!("{word:?}"));
        assert_eq!(format!("{value:>20}").len(), 20, "names can be aligned");
        assert!(word.to_uppercase().parse::<T>().is_err());
    }
    assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), values.len());
}

#[test]
fn statuses() {
    let words = [
        "pending",
        "dispatched",
        "running",
        "retrying",
        "completed",
        "failed",
        "failed_crash",
        "cancelled",
    ];
    round_trips(&TaskStatus::ALL, &words);
    let error = "done".parse::<TaskStatus>().unwrap_err().to_string();
    assert!(error.contains("done") && error.contains("failed_crash"), "{error}");
}

#[test]
fn failure_codes() {
    let words = [
        "worker_error",
        "timeout",
        "idle_timeout",
        "deadline",
        "gate_rejected",
        "no_worker",
        "panic",
        "crashed",
        "interrupted",
        "spawn_failed",
        "exit_status",
        "signal",
        "http_status",
        "rate_limited",
        "quota",
        "output_limit",
        "store",
    ];
    round_trips(&FailureCode::ALL, &words);
    let error = "bad luck".parse::<FailureCode>().unwrap_err().to_string();
    assert!(error.contains("bad luck"), "{error}");
}

#[test]
fn event_types() {
    let words = [
        "task.created",
        "task.dispatched",
        "task.running",
        "task.completed",
        "task.failed",
        "task.failed_crash",
        "task.retrying",
        "task.cancelled",
        "task.progress",
    ];
    round_trips(&EventType::ALL, &words);
    let error = "created".parse::<EventType>().unwrap_err().to_string();
    assert!(error.contains("created"), "{error}");
}

#[test]
fn retry_reasons() {
    let words = ["failed", "rejected", "parked", "interrupted", "crash"];
    round_trips(&RetryReason::ALL, &words);
}

#[test]
fn every_status_has_an_event_of_its_arrival() {
    for status in TaskStatus::ALL {
        let event = EventType::arrival(status).to_string();
        let word = event.strip_prefix("task.").unwrap();
        let expected = if status == TaskStatus::Pending { "created" } else { status.as_str() };
        assert_eq!(word, expected);
    }
}

#[test]
fn ids_read_back_as_they_were() {
    let longest = "ü".repeat(limits::TASK_ID_BYTES_MAX / 2);
    for text in ["id-0", "0199f0c2-7d5a-7c3e-8a41-1b2c3d4e5f60", "a b/c", &longest] {
        let id: TaskId = text.parse().unwrap();
        assert_eq!((id.as_str(), id.to_string().as_str()), (text, text));
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("{text:?}"));
        assert_eq!(format!("{id:?}"), format!("{text:?}"));
        assert_eq!(text.parse::<InstanceId>().unwrap().as_str(), text);
    }
}

#[test]
fn what_cannot_be_an_id_is_refused_with_its_text() {
    let too_long = "x".repeat(limits::TASK_ID_BYTES_MAX + 1);
    for text in ["", "a\0", "line\n", "\u{85}", &too_long] {
        let error = TaskId::new(text).unwrap_err().to_string();
        assert!(error.contains("is not an id"), "{error}");
        assert!(error.len() < 250, "a refusal is short: {error}");
        assert!(text.parse::<InstanceId>().is_err());
    }
}

#[test]
fn worker_types_compare_by_their_text() {
    assert_eq!(WorkerType::CLI, WorkerType::from("cli".to_owned()));
    let known = [WorkerType::CLI, WorkerType::THINKER, WorkerType::INVESTIGATOR];
    let known = known.into_iter().chain([WorkerType::ORCHESTRATOR]);
    let words: Vec<_> = known.map(|known| known.to_string()).collect();
    assert_eq!(words, ["cli", "thinker", "investigator", "orchestrator"]);
    assert!(WorkerType::from("x".repeat(256)).check().is_ok());
    assert!(WorkerType::from("x".repeat(257)).check().is_err());
    assert!(WorkerType::default().check().is_err());
}
