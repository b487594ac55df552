//! Trying again.

use std::time::Duration;

use loom_core::{EventType, FailureCode, RetryReason, Task, TaskStatus, WorkerError, WorkerResult};
use loom_deps::Clock;
use loom_engine::Engine;
use loom_testkit::SequenceWorker;

use crate::rig::{Rig, as_time_passes, end_of, kinds, soon_enough, until, work};

async fn run_through(rig: &Rig, engine: &Engine, id: &str) -> Task {
    as_time_passes(rig, engine.wait(id)).await.unwrap()
}

#[tokio::test]
async fn a_transient_error_is_tried_again_and_every_attempt_is_told_of() {
    let rig = Rig::new();
    let worker = SequenceWorker::new([
        Err(WorkerError::transient("not yet")),
        Err(WorkerError::transient("still not")),
        Ok("now".into()),
    ]);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let mut stream = engine.events().stream();
    let submitted = engine.submit(work("patience")).await.unwrap();
    let task = run_through(&rig, &engine, submitted.id.as_str()).await;
    assert_eq!((task.status, task.result.as_str()), (TaskStatus::Completed, "now"));
    assert_eq!((task.attempt, task.retries), (3, 2));
    let events = until(&mut stream, EventType::Completed).await;
    use EventType::{Completed, Created, Dispatched, Retrying, Running};
    let expected = [
        Created, Dispatched, Running, Retrying, Dispatched, Running, Retrying, Dispatched, Running,
        Completed,
    ];
    assert_eq!(kinds(&events), expected);
    assert_eq!(events[3].reason, Some("failed"));
}

#[tokio::test]
async fn earlier_attempts_stay_readable_with_what_they_produced() {
    let rig = Rig::new();
    let failed = WorkerError::transient("half way").with_output(WorkerResult::new("half"));
    let worker = SequenceWorker::new([Err(failed), Ok("whole".into())]);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    run_through(&rig, &engine, submitted.id.as_str()).await;
    let attempts = engine.attempts(submitted.id).await.unwrap();
    assert_eq!(attempts.len(), 2);
    assert_eq!((attempts[0].number, attempts[0].output.as_str()), (1, "half"));
    assert_eq!(attempts[0].reason, Some(RetryReason::Failed));
    assert_eq!(attempts[0].error.as_deref(), Some("half way"));
    assert_eq!((attempts[1].number, attempts[1].output.as_str()), (2, "whole"));
    assert_eq!(attempts[1].status, TaskStatus::Completed);
}

#[tokio::test]
async fn retries_end_and_the_last_error_stays() {
    let rig = Rig::new();
    let errors = (0..5).map(|number| Err(WorkerError::transient(format!("error {number}"))));
    let engine = rig.builder().worker("work", SequenceWorker::new(errors)).start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    let task = run_through(&rig, &engine, submitted.id.as_str()).await;
    assert_eq!((task.status, task.retries, task.attempt), (TaskStatus::Failed, 2, 3));
    assert_eq!(task.error.as_deref(), Some("error 2"));
}

#[tokio::test]
async fn a_request_may_name_its_own_number_of_retries() {
    let rig = Rig::new();
    let errors = (0..9).map(|_| Err(WorkerError::transient("no")));
    let engine = rig.builder().worker("work", SequenceWorker::new(errors)).start().await.unwrap();
    let none = engine.submit(work("x").max_retries(0)).await.unwrap();
    assert_eq!(run_through(&rig, &engine, none.id.as_str()).await.attempt, 1);
    let four = engine.submit(work("x").max_retries(4)).await.unwrap();
    assert_eq!(run_through(&rig, &engine, four.id.as_str()).await.attempt, 5);
}

#[tokio::test]
async fn a_permanent_error_is_not_tried_again_and_keeps_what_was_produced() {
    let rig = Rig::new();
    let error = WorkerError::permanent("no such model")
        .with_code(FailureCode::ExitStatus)
        .with_output(WorkerResult::new("some output").with("exit_code", 2));
    let worker = SequenceWorker::new([Err(error), Ok("never".into())]);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let submitted = engine.submit(work("x").metadata("kept", true)).await.unwrap();
    let task = end_of(&engine, submitted.id).await;
    assert_eq!((task.status, task.attempt), (TaskStatus::Failed, 1));
    assert_eq!(task.failure, Some(FailureCode::ExitStatus));
    assert_eq!((task.result.as_str(), &task.metadata["exit_code"]), ("some output", &2.into()));
    assert_eq!(task.metadata["kept"], true);
}

#[tokio::test]
async fn waiting_for_a_limit_to_reset_is_not_counted_and_ends_when_it_does() {
    let rig = Rig::new();
    let wait = Duration::from_secs(5 * 3600);
    let worker = SequenceWorker::new([
        Err(WorkerError::retry_after(wait, "limit reached")),
        Ok("done".into()),
    ]);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let mut stream = engine.events().stream();
    let submitted = engine.submit(work("x")).await.unwrap();
    until(&mut stream, EventType::Retrying).await;
    let waiting = engine.get(&submitted.id).await.unwrap();
    assert_eq!(waiting.status, TaskStatus::Retrying);
    assert_eq!(waiting.run_at, Some(rig.clock.now().saturating_add(wait)));
    assert!(waiting.error.is_none(), "only a failed task has an error");
    let task = run_through(&rig, &engine, submitted.id.as_str()).await;
    assert_eq!((task.status, task.retries, task.parked()), (TaskStatus::Completed, 0, 1));
}

#[tokio::test]
async fn the_wait_for_a_retry_survives_a_restart() {
    let rig = Rig::new();
    let worker = SequenceWorker::new([Err(WorkerError::transient("not yet"))]);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let mut stream = engine.events().stream();
    let submitted = engine.submit(work("x")).await.unwrap();
    until(&mut stream, EventType::Retrying).await;
    let due = engine.get(&submitted.id).await.unwrap().run_at;
    engine.close().await.unwrap();
    let worker = SequenceWorker::new([Ok("done".into())]);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    assert_eq!(soon_enough(engine.get(&submitted.id)).await.unwrap().run_at, due);
    let task = run_through(&rig, &engine, submitted.id.as_str()).await;
    assert_eq!((task.status, task.retries), (TaskStatus::Completed, 1));
}
