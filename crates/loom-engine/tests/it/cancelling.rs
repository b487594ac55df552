//! Asking for a task's end.

use std::time::Duration;

use loom_core::{CancelReason, Error, EventType, TaskQuery, TaskStatus, WorkerError, WorkerResult};
use loom_deps::Clock;
use loom_testkit::{SequenceWorker, scripted};

use crate::rig::{Rig, end_of, kinds, sleepers, soon_enough, until, work};

#[tokio::test]
async fn a_running_task_is_told_to_stop_and_ends_as_cancelled_with_what_it_had_produced() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let mut stream = engine.events().stream();
    let submitted = engine.submit(work("x")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    engine.cancel(&submitted.id).await.unwrap();
    assert_eq!(soon_enough(attempt.cancelled()).await, Some(CancelReason::Requested));
    attempt.finish(Err(WorkerError::cancelled().with_output(WorkerResult::new("so far"))));
    let task = end_of(&engine, &submitted.id).await;
    assert_eq!((task.status, task.result.as_str()), (TaskStatus::Cancelled, "so far"));
    assert!(task.error.is_none() && task.failure.is_none());
    let events = until(&mut stream, EventType::Cancelled).await;
    use EventType::{Cancelled, Created, Dispatched, Running};
    assert_eq!(kinds(&events), [Created, Dispatched, Running, Cancelled]);
}

#[tokio::test]
async fn a_cancel_wins_over_a_worker_that_takes_no_notice_and_succeeds() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    engine.cancel(&submitted.id).await.unwrap();
    attempt.finish(Ok("done all the same".into()));
    let task = end_of(&engine, submitted.id).await;
    assert_eq!((task.status, task.result.as_str()), (TaskStatus::Cancelled, "done all the same"));
}

#[tokio::test]
async fn a_worker_that_does_not_return_is_dropped_after_its_grace() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let engine = rig
        .builder()
        .worker("work", worker)
        .cancel_grace(Duration::from_secs(3))
        .start()
        .await
        .unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    let mut attempt = soon_enough(script.next()).await;
    engine.cancel(&submitted.id).await.unwrap();
    soon_enough(attempt.cancelled()).await;
    soon_enough(sleepers(&rig)).await;
    let told = rig.clock.now();
    rig.skip();
    soon_enough(attempt.dropped()).await;
    let task = end_of(&engine, submitted.id).await;
    assert_eq!(task.status, TaskStatus::Cancelled);
    assert_eq!(task.completed_at.unwrap().since(told), Duration::from_secs(3));
}

#[tokio::test]
async fn a_waiting_task_is_cancelled_at_once_and_never_runs() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let engine = rig.builder().worker("work", worker).max_running(1).start().await.unwrap();
    let running = engine.submit(work("runs")).await.unwrap();
    let waiting = engine.submit(work("waits")).await.unwrap();
    engine.cancel(&waiting.id).await.unwrap();
    assert_eq!(engine.get(&waiting.id).await.unwrap().status, TaskStatus::Cancelled);
    soon_enough(script.next()).await.finish(Ok("done".into()));
    end_of(&engine, running.id).await;
    engine.close().await.unwrap();
    assert!(script.started().is_none());
}

#[tokio::test]
async fn a_task_that_waits_for_its_retry_is_cancelled_at_once() {
    let rig = Rig::new();
    let worker = SequenceWorker::new([Err(WorkerError::transient("no")), Ok("never".into())]);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let mut stream = engine.events().stream();
    let submitted = engine.submit(work("x")).await.unwrap();
    until(&mut stream, EventType::Retrying).await;
    let task = soon_enough(engine.cancel_and_wait(&submitted.id)).await.unwrap();
    assert_eq!((task.status, task.attempt), (TaskStatus::Cancelled, 1));
    assert_eq!(until(&mut stream, EventType::Cancelled).await.len(), 1);
}

#[tokio::test]
async fn a_task_that_has_ended_stays_as_it_ended() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x")).await.unwrap();
    soon_enough(script.next()).await.finish(Ok("done".into()));
    end_of(&engine, &submitted.id).await;
    let refused = engine.cancel(&submitted.id).await.unwrap_err();
    assert!(matches!(refused, Error::AlreadyEnded { status: TaskStatus::Completed, .. }));
    assert_eq!(engine.get(submitted.id).await.unwrap().status, TaskStatus::Completed);
}

#[tokio::test]
async fn a_cancel_reaches_a_task_that_another_engine_runs() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let other = rig.builder().submit_only().start().await.unwrap();
    let submitted = other.submit(work("x")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    other.cancel(&submitted.id).await.unwrap();
    assert_eq!(soon_enough(attempt.cancelled()).await, Some(CancelReason::Requested));
    attempt.finish(Err(WorkerError::cancelled()));
    assert_eq!(end_of(&other, submitted.id).await.status, TaskStatus::Cancelled);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn cancelling_a_project_tells_its_running_tasks_and_no_others() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let engine = rig.builder().worker("work", worker).max_running(4).start().await.unwrap();
    for project in ["a", "a", "a", "b", "a"] {
        engine.submit(work("x").project(project)).await.unwrap();
    }
    let mut attempts = Vec::new();
    for _ in 0..4 {
        attempts.push(soon_enough(script.next()).await);
    }
    assert_eq!(engine.cancel_all_for_project("a").await.unwrap(), 3);
    assert_eq!(engine.cancel_all_for_project("nobody's").await.unwrap(), 0);
    for attempt in &attempts {
        let told = attempt.cx.cancellation().is_cancelled();
        assert_eq!(told, attempt.task.project_id == "a");
    }
    let waiting = TaskQuery::all().statuses([TaskStatus::Pending]);
    assert_eq!(engine.count(waiting).await.unwrap().total(), 1, "the waiting one is left alone");
}

#[tokio::test]
async fn cancelling_what_matches_takes_everything_that_has_not_ended() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let engine = rig.builder().worker("work", worker).max_running(1).start().await.unwrap();
    let done = engine.submit(work("done").project("a")).await.unwrap();
    soon_enough(script.next()).await.finish(Ok("done".into()));
    end_of(&engine, &done.id).await;
    for project in ["a", "a", "b"] {
        engine.submit(work("x").project(project)).await.unwrap();
    }
    let attempt = soon_enough(script.next()).await;
    let query = || TaskQuery::all().project("a");
    assert_eq!(engine.cancel_matching(query().statuses([TaskStatus::Completed])).await.unwrap(), 0);
    assert_eq!(engine.cancel_matching(query()).await.unwrap(), 2);
    attempt.finish(Err(WorkerError::cancelled()));
    let next = soon_enough(script.next()).await;
    assert_eq!(next.task.project_id, "b");
    let counts = engine.count(query()).await.unwrap();
    assert_eq!((counts.of(TaskStatus::Cancelled), counts.of(TaskStatus::Completed)), (2, 1));
}
