//! Tasks of another system.

use std::time::Duration;

use loom_core::{
    Capability, Ended, Error, Imported, NewTask, StoreError, TaskId, TaskQuery, TaskRequest,
    TaskStatus,
};
use loom_deps::{Clock, Timestamp};
use loom_testkit::MemoryStore;

use crate::rig::{Rig, end_of, soon_enough, work};

fn new(id: &str, engine_name: &str) -> NewTask {
    NewTask {
        id: TaskId::new(id).unwrap(),
        engine_name: engine_name.to_owned(),
        request: work("do it").env("DB_PASSWORD", "correct horse battery"),
        created_at: Timestamp::from_micros(7),
        pinned_to: None,
        daemon_id: Some("over there".to_owned()),
    }
}

fn failed(id: &str, error: &str) -> Imported {
    let ended = Ended { error: Some(error.to_owned()), ..Ended::default() };
    Imported::failed(new(id, "elsewhere"), Timestamp::from_micros(8), ended)
}

#[tokio::test]
async fn an_imported_task_is_kept_as_it_was_and_is_history() {
    let rig = Rig::new();
    let engine = rig.builder().start().await.unwrap();
    let mut events = engine.events().stream();
    let task = failed("old", "it broke");
    let submitted = engine.import(task.clone()).await.unwrap();
    assert!(!submitted.duplicate);
    assert_eq!(engine.get("old").await.unwrap(), task.into_task(submitted.seq));
    let told = engine.submit(work("new")).await.unwrap().id;
    let first = soon_enough(events.next()).await.unwrap().unwrap();
    assert_eq!((first.task_id, first.sequence), (told, 1), "there are no events of an import");
    let again = engine.import(failed("old", "another")).await.unwrap();
    assert!(again.duplicate && again.seq == submitted.seq);
    assert_eq!(engine.get("old").await.unwrap().error.as_deref(), Some("it broke"));
}

#[tokio::test]
async fn secrets_are_taken_out_of_errors_and_nothing_else_is_changed() {
    let rig = Rig::new();
    let engine = rig.builder().start().await.unwrap();
    let error = "with correct horse battery and Bearer abcdefghijklmnopqrstuvwxyz0123 it broke";
    engine.import(failed("t", error)).await.unwrap();
    let task = engine.get("t").await.unwrap();
    let error = task.error.unwrap();
    assert!(error.starts_with("with [REDACTED") && error.ends_with("it broke"), "{error}");
    assert!(!error.contains("horse") && !error.contains("abcdefgh"), "{error}");
    engine.import(failed("u", "already [REDACTED] over there")).await.unwrap();
    let kept = engine.get("u").await.unwrap().error;
    assert_eq!(kept.as_deref(), Some("already [REDACTED] over there"));
}

#[tokio::test]
async fn imported_tasks_that_wait_are_run_by_their_engine_alone() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let soon = rig.clock.now().saturating_add(Duration::from_secs(60));
    let tasks = [
        Imported::pending(new("pending", "test")),
        Imported::retrying(new("retrying", "test"), soon).counted(1, 1),
        Imported::pending(new("theirs", "another")),
        Imported::pending(new("nobody's", "")),
        failed("failed", "it broke"),
    ];
    let report = engine.import_all(tasks.clone()).await.unwrap();
    assert_eq!((report.added, report.present, report.crashed), (5, 0, 0));
    let waiting: Vec<_> = report.waiting.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(waiting, [("", 1), ("another", 1), ("test", 2)]);
    soon_enough(script.next()).await.finish(Ok("done".into()));
    assert_eq!(end_of(&engine, "pending").await.result, "done");
    rig.skip();
    soon_enough(script.next()).await.finish(Ok("at last".into()));
    let retried = end_of(&engine, "retrying").await;
    assert_eq!((retried.status, retried.attempt), (TaskStatus::Completed, 2));
    let waiting = TaskQuery::all().statuses([TaskStatus::Pending]);
    assert_eq!(engine.count_all(waiting).await.unwrap().total(), 2);
    let again = engine.import_all(tasks).await.unwrap();
    assert_eq!((again.added, again.present, again.waiting.len()), (0, 5, 0));
    assert_eq!(engine.get("pending").await.unwrap().status, TaskStatus::Completed);
}

#[tokio::test]
async fn an_engine_that_only_submits_runs_nothing_of_what_it_imports() {
    let rig = Rig::new();
    let engine = rig.builder().submit_only().start().await.unwrap();
    engine.import(Imported::pending(new("t", "test"))).await.unwrap();
    engine.close().await.unwrap();
    let engine = rig.builder().submit_only().start().await.unwrap();
    assert_eq!(engine.get("t").await.unwrap().status, TaskStatus::Pending);
}

#[tokio::test]
async fn many_tasks_keep_their_order() {
    let rig = Rig::new();
    let engine = rig.builder().start().await.unwrap();
    let tasks = (0..2500).map(|n| Imported::pending(new(&format!("t{n}"), "elsewhere")));
    assert_eq!(engine.import_all(tasks).await.unwrap().added, 2500);
    for n in [0, 1, 999, 1000, 2499] {
        assert_eq!(engine.get(format!("t{n}")).await.unwrap().seq, n + 1);
    }
}

#[tokio::test]
async fn what_cannot_be_imported_leaves_nothing() {
    let rig = Rig::new();
    let without = MemoryStore::new().without(Capability::Import);
    let engine = rig.builder_on(without).start().await.unwrap();
    let refused = engine.import(failed("t", "x")).await.unwrap_err();
    let expected = StoreError::Unsupported(Capability::Import);
    assert!(matches!(&refused, Error::Store(error) if error.to_string() == expected.to_string()));
    assert!(matches!(engine.get("t").await, Err(Error::NotFound(_))));

    let engine = rig.builder().start().await.unwrap();
    let mut nameless = new("t", "test");
    nameless.request = TaskRequest::new("", "do it");
    let invalid = engine.import(Imported::pending(nameless)).await.unwrap_err();
    assert!(matches!(invalid, Error::Invalid(problem) if problem.field() == "worker_type"));
    engine.close().await.unwrap();
    assert!(matches!(engine.import(failed("t", "x")).await, Err(Error::Closed)));
    assert!(matches!(engine.import_all([failed("t", "x")]).await, Err(Error::Closed)));
}

#[tokio::test]
async fn every_task_keeps_who_submitted_it() {
    let rig = Rig::new();
    let engine = rig.builder().daemon_id("daemon 7").start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    let task = engine.get(submitted.id).await.unwrap();
    assert_eq!(task.daemon_id.as_deref(), Some("daemon 7"));
    for wrong in ["", "a\0b", &"x".repeat(257)] {
        let refused = rig.builder().daemon_id(wrong).start().await.unwrap_err();
        assert!(matches!(refused, Error::Build(problem) if problem.field() == "daemon_id"));
    }
}
