//! What operators do.

use std::time::Duration;

use loom_core::{CancelReason, Error, EventType, TaskQuery, TaskRequest, TaskStatus};
use loom_testkit::scripted;

use crate::rig::{Rig, end_of, next, soon_enough, work};

#[tokio::test]
async fn a_running_task_failed_by_hand_is_told_to_stop_and_its_late_result_changes_nothing() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    let former = engine.fail_active(&submitted.id, "stuck, says the operator").await.unwrap();
    assert_eq!(former, Some(TaskStatus::Running));
    assert_eq!(soon_enough(attempt.cancelled()).await, Some(CancelReason::Lost));
    attempt.finish(Ok("too late".into()));
    engine.close().await.unwrap();
    let (engine, _script) = rig.scripted().await;
    let task = engine.get(submitted.id).await.unwrap();
    assert_eq!((task.status, task.result.as_str()), (TaskStatus::Failed, ""));
    assert_eq!(task.error.as_deref(), Some("stuck, says the operator"));
    let logged = rig.logger.records();
    assert!(logged.iter().any(|record| record.message.starts_with("a late report was dropped")));
}

#[tokio::test]
async fn a_waiting_task_can_be_failed_and_an_ended_one_is_left_alone() {
    let rig = Rig::new();
    let engine = rig.builder().start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    let failed = || engine.fail_active(&submitted.id, "no longer needed");
    assert_eq!(failed().await.unwrap(), Some(TaskStatus::Pending));
    assert_eq!(failed().await.unwrap(), None);
    assert!(matches!(engine.fail_active("nobody", "x").await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_project_or_everything_can_be_failed() {
    let rig = Rig::new();
    let engine = rig.builder().start().await.unwrap();
    for project in ["a", "a", "b"] {
        engine.submit(work("x").project(project)).await.unwrap();
    }
    assert_eq!(engine.fail_active_for_project("a", "gone").await.unwrap(), 2);
    assert_eq!(engine.fail_all_active("gone too").await.unwrap(), 1);
    let counts = engine.count(TaskQuery::all()).await.unwrap();
    assert_eq!((counts.of(TaskStatus::Failed), counts.total()), (3, 3));
}

#[tokio::test]
async fn stale_is_what_has_neither_started_nor_reported_for_long() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let silent = engine.submit(work("silent")).await.unwrap();
    let talking = engine.submit(work("talking")).await.unwrap();
    rig.clock.advance(Duration::from_secs(30 * 60));
    let fresh = engine.submit(work("fresh")).await.unwrap();
    engine.append_progress(&talking.id, "still here").await.unwrap();
    let failed = engine.fail_stale_running(Duration::from_secs(15 * 60), "stale").await.unwrap();
    assert_eq!(failed, 1);
    assert_eq!(end_of(&engine, silent.id).await.status, TaskStatus::Failed);
    for id in [talking.id, fresh.id] {
        assert_eq!(engine.get(id).await.unwrap().status, TaskStatus::Running);
    }
    drop(soon_enough(script.next()).await);
}

#[tokio::test]
async fn progress_can_be_reported_from_outside() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    let submitted = engine.submit(work("x").project("p")).await.unwrap();
    let mut stream = engine.events().stream();
    let taken = engine.append_progress(&submitted.id, "one\ntwo\n\n").await.unwrap();
    assert_eq!(taken.as_deref(), Some("p"));
    let event = next(&mut stream).await;
    assert_eq!((event.kind, event.status), (EventType::Progress, TaskStatus::Running));
    assert_eq!(engine.append_progress(&submitted.id, "  ").await.unwrap().as_deref(), Some("p"));
    let progress = engine.get(&submitted.id).await.unwrap().progress;
    assert_eq!((progress.line.as_str(), progress.lines), ("two", 4));
    assert_eq!(engine.append_progress("nobody", "x").await.unwrap(), None);
    let none = engine.submit(TaskRequest::new("unknown", "x")).await.unwrap();
    assert_eq!(engine.append_progress(&none.id, "x").await.unwrap(), None);
    assert!(engine.get(none.id).await.unwrap().progress.is_none());
}
