//! Time that an attempt may take, and progress while it takes it.

use std::time::Duration;

use loom_core::{
    CancelReason, Error, EventType, FailureCode, TaskStatus, WorkerError, WorkerResult,
};
use loom_deps::Clock;

use loom_testkit::scripted;

use crate::rig::{Rig, as_time_passes, end_of, next, sleepers, soon_enough, until, work};

#[tokio::test]
async fn an_attempt_is_told_to_stop_at_its_timeout_and_keeps_its_output() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let request = work("x").timeout(Duration::from_secs(30)).max_retries(0);
    let submitted = engine.submit(request).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    let deadline = rig.clock.now().saturating_add(Duration::from_secs(30));
    assert_eq!(attempt.cx.deadline(), Some(deadline));
    soon_enough(sleepers(&rig)).await;
    rig.clock.set(deadline);
    assert_eq!(soon_enough(attempt.cancelled()).await, Some(CancelReason::Timeout));
    attempt.finish(Err(WorkerError::cancelled().with_output(WorkerResult::new("half"))));
    let task = end_of(&engine, submitted.id).await;
    assert_eq!((task.status, task.failure), (TaskStatus::Failed, Some(FailureCode::Timeout)));
    assert_eq!(
        (task.error.as_deref(), task.result.as_str()),
        (Some("timed out after 30s"), "half")
    );
}

#[tokio::test]
async fn each_attempt_has_the_whole_timeout_to_itself() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let request = work("x").timeout(Duration::from_secs(30)).max_retries(1);
    let submitted = engine.submit(request).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    soon_enough(sleepers(&rig)).await;
    rig.clock.advance(Duration::from_secs(30));
    soon_enough(attempt.cancelled()).await;
    let mut stream = engine.events().stream();
    attempt.finish(Err(WorkerError::cancelled()));
    until(&mut stream, EventType::Retrying).await;
    let due = engine.get(&submitted.id).await.unwrap().run_at.unwrap();
    while rig.clock.now() < due {
        soon_enough(sleepers(&rig)).await;
        rig.skip();
    }
    let attempt = soon_enough(script.next()).await;
    let deadline = attempt.task.started_at.unwrap().saturating_add(Duration::from_secs(30));
    assert_eq!((attempt.cx.attempt(), attempt.cx.deadline()), (2, Some(deadline)));
    attempt.finish(Ok("in time".into()));
    assert_eq!(end_of(&engine, submitted.id).await.result, "in time");
}

#[tokio::test]
async fn a_result_that_comes_after_all_is_taken() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x").timeout(Duration::from_secs(1))).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    soon_enough(sleepers(&rig)).await;
    rig.clock.advance(Duration::from_secs(1));
    soon_enough(attempt.cancelled()).await;
    attempt.finish(Ok("just in time".into()));
    assert_eq!(end_of(&engine, submitted.id).await.result, "just in time");
}

#[tokio::test]
async fn a_waiter_that_runs_out_of_time_leaves_the_task_alone() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    let waiting = engine.wait_timeout(&submitted.id, Duration::from_secs(5));
    let time_passes = async {
        sleepers(&rig).await;
        rig.clock.advance(Duration::from_secs(5));
    };
    let (waited, ()) = soon_enough(async { tokio::join!(waiting, time_passes) }).await;
    assert!(matches!(waited, Err(Error::WaitTimeout(_))));
    assert!(!attempt.cx.cancellation().is_cancelled());
    attempt.finish(Ok("done".into()));
    assert_eq!(end_of(&engine, submitted.id).await.result, "done");
}

#[tokio::test]
async fn progress_is_kept_with_the_task_and_told_of() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x")).await.unwrap();
    let mut stream = engine.events().stream();
    let attempt = soon_enough(script.next()).await;
    attempt.cx.progress("reading");
    let event = next(&mut stream).await;
    assert_eq!((event.kind, event.line.as_deref()), (EventType::Progress, Some("reading")));
    let task = engine.get(&submitted.id).await.unwrap();
    assert_eq!((task.progress.line.as_str(), task.progress.lines), ("reading", 1));
    // Faster than they are written: the last line stays, all are counted, the end brings the rest.
    attempt.cx.progress("one\ntwo");
    attempt.cx.progress("   ");
    attempt.cx.progress(&"ü".repeat(80));
    attempt.finish(Ok("done".into()));
    let task = end_of(&engine, submitted.id).await;
    assert_eq!((task.progress.line, task.progress.lines), ("ü".repeat(50), 5));
}

#[tokio::test]
async fn an_attempt_that_gives_no_sign_of_life_is_told_to_stop() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let request = work("x").idle_timeout(Duration::from_secs(60)).max_retries(0);
    let submitted = engine.submit(request).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    for _ in 0..3 {
        soon_enough(sleepers(&rig)).await;
        rig.clock.advance(Duration::from_secs(40));
        attempt.cx.progress("still here");
        tokio::task::yield_now().await;
    }
    assert!(!attempt.cx.cancellation().is_cancelled());
    let cancelled = attempt.cancelled();
    assert_eq!(as_time_passes(&rig, cancelled).await, Some(CancelReason::Idle));
    attempt.finish(Err(WorkerError::cancelled().with_output(WorkerResult::new("half"))));
    let task = end_of(&engine, submitted.id).await;
    assert_eq!((task.failure, task.result.as_str()), (Some(FailureCode::IdleTimeout), "half"));
    assert_eq!(task.error.as_deref(), Some("no sign of life for 60s"));
}

#[tokio::test]
async fn a_task_past_its_deadline_ends_for_good_however_many_retries_are_left() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let request = work("x").deadline(Duration::from_secs(100)).timeout(Duration::from_secs(500));
    let submitted = engine.submit(request).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    let over = rig.clock.now().saturating_add(Duration::from_secs(100));
    assert_eq!(attempt.cx.deadline(), Some(over));
    soon_enough(sleepers(&rig)).await;
    rig.clock.set(over);
    assert_eq!(soon_enough(attempt.cancelled()).await, Some(CancelReason::Deadline));
    attempt.finish(Err(WorkerError::cancelled()));
    let task = end_of(&engine, submitted.id).await;
    assert_eq!((task.status, task.failure), (TaskStatus::Failed, Some(FailureCode::Deadline)));
    assert_eq!(task.attempt, 1);
}

#[tokio::test]
async fn a_retry_that_would_come_after_the_deadline_is_not_waited_for() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x").deadline(Duration::from_secs(100))).await.unwrap();
    let error = WorkerError::retry_after(Duration::from_secs(3600), "limit reached");
    soon_enough(script.next()).await.finish(Err(error));
    let task = end_of(&engine, submitted.id).await;
    assert_eq!(task.failure, Some(FailureCode::Deadline));
    assert!(task.error.unwrap().contains("limit reached; the next attempt would come after"));
}

#[tokio::test]
async fn a_task_whose_deadline_passed_while_it_waited_never_starts() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let engine = rig.builder().worker("work", worker).max_running(1).start().await.unwrap();
    let first = engine.submit(work("first")).await.unwrap();
    let late = engine.submit(work("late").deadline(Duration::from_secs(10))).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    rig.clock.advance(Duration::from_secs(11));
    attempt.finish(Ok("done".into()));
    end_of(&engine, first.id).await;
    assert_eq!(end_of(&engine, late.id).await.failure, Some(FailureCode::Deadline));
    assert!(script.started().is_none());
}
