//! Workers, their errors, and how they are told to stop.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loom_core::{
    CancelReason, Cancellation, CrashPolicy, ErrorKind, FailureCode, ProgressSink, Task,
    TaskContext, Worker, WorkerError, WorkerResult, worker_fn,
};

use crate::support::{at, task};

#[derive(Debug)]
struct Outer(std::num::ParseIntError);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot read the number")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn any_error_becomes_a_permanent_one_with_its_causes() {
    let error = WorkerError::from(Outer("x".parse::<u32>().unwrap_err()));
    assert_eq!((error.kind(), error.code()), (ErrorKind::Permanent, FailureCode::WorkerError));
    assert_eq!(error.message(), "cannot read the number: invalid digit found in string");
    assert_eq!(error.to_string(), error.message());
    assert!(error.source().is_some_and(|source| source.is::<Outer>()));
}

#[test]
fn each_kind_of_error_has_its_code() {
    let second = Duration::from_secs(1);
    for (error, kind, code) in [
        (WorkerError::permanent("x"), ErrorKind::Permanent, FailureCode::WorkerError),
        (WorkerError::transient("x"), ErrorKind::Transient, FailureCode::WorkerError),
        (WorkerError::timeout("x"), ErrorKind::Timeout, FailureCode::Timeout),
        (WorkerError::cancelled(), ErrorKind::Cancelled, FailureCode::Interrupted),
        (
            WorkerError::retry_after(second, "x"),
            ErrorKind::RetryAfter(second),
            FailureCode::RateLimited,
        ),
    ] {
        assert_eq!((error.kind(), error.code()), (kind, code));
        assert!(error.source().is_none() && error.output().is_none());
    }
}

#[test]
fn an_error_keeps_what_was_produced_until_it_is_taken() {
    let mut error = WorkerError::transient("x").with_output("half".into());
    assert_eq!(error.output().map(|output| output.content.as_str()), Some("half"));
    assert_eq!(error.take_output(), Some(WorkerResult::new("half")));
    assert_eq!(error.take_output(), None);
}

#[tokio::test]
async fn a_function_is_a_worker() {
    let greeting = String::from("hello");
    let worker = worker_fn(move |cx: TaskContext, task: Task| {
        let greeting = greeting.clone();
        async move { Ok(format!("{greeting} {} ({})", task.prompt, cx.attempt())) }
    });
    let cx = TaskContext::new().with_attempt(3);
    let result = worker.execute(&cx, &task()).await.unwrap();
    assert_eq!(result.content, "hello do it (3)");
    assert_eq!(worker.crash_policy(), CrashPolicy::Fail, "by default nothing is run again unasked");
    assert!(worker.worker_type().is_none() && worker.gate().is_none());
    assert!(worker.reap(&task()).await.is_ok());
}

#[tokio::test]
async fn the_first_reason_to_stop_stays_and_all_clones_hear_it() {
    let cancellation = Cancellation::new();
    let clone = cancellation.clone();
    assert!(!clone.is_cancelled() && clone.reason().is_none());
    let waiting = tokio::spawn(async move {
        clone.cancelled().await;
        clone.reason()
    });
    cancellation.cancel(CancelReason::Shutdown);
    cancellation.cancel(CancelReason::Timeout);
    assert_eq!(waiting.await.unwrap(), Some(CancelReason::Shutdown));
    assert!(cancellation.is_cancelled());
    assert_eq!(format!("{cancellation:?}"), "Cancellation(Some(Shutdown))");
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl ProgressSink for Lines {
    fn report(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

#[test]
fn a_context_holds_what_it_was_given() {
    let lines = Arc::new(Lines::default());
    let cancellation = Cancellation::new();
    let cx = TaskContext::new()
        .with_attempt(2)
        .with_deadline(Some(at(9)))
        .with_request_id(Some("r-1"))
        .with_trace_context(Some("00-1-2-01"))
        .with_cancellation(cancellation.clone())
        .with_progress(Arc::clone(&lines) as Arc<dyn ProgressSink>);
    assert_eq!((cx.attempt(), cx.deadline(), cx.request_id()), (2, Some(at(9)), Some("r-1")));
    assert_eq!(cx.trace_context(), Some("00-1-2-01"));
    cancellation.cancel(CancelReason::Lost);
    assert_eq!(cx.cancellation().reason(), Some(CancelReason::Lost));
    let clone = cx.clone();
    clone.progress("one");
    cx.progress("two");
    assert_eq!(*lines.0.lock().unwrap(), ["one", "two"]);
    assert_eq!(TaskContext::default().attempt(), 1);
}
