//! The end of an engine in which attempts wait for other tasks.

use std::time::Duration;

use loom_core::{
    CancelReason, CrashPolicy, Error, TaskRequest, TaskStatus, TaskStore, WaitError, WorkerError,
};
use loom_deps::Clock;
use loom_testkit::scripted;

use crate::rig::{Rig, end_of, sleepers, soon_enough, work};
use crate::waiting::{parent_in, submit, wait};

#[tokio::test]
async fn close_waits_for_attempts_that_wait_and_have_no_slot() {
    let rig = Rig::new();
    let (engine, mut script, parent) = parent_in(&rig, 1).await;
    let child = submit(&engine, "child").await;
    let waiting = wait(&parent, &child);
    let attempt = soon_enough(script.next()).await;
    let Err(Error::StillRunning { mut tasks }) = engine.close_within(Duration::ZERO).await else {
        unreachable!("two attempts are under way");
    };
    tasks.sort();
    let mut both = vec![parent.task.id.clone(), child.clone()];
    both.sort();
    assert_eq!(tasks, both);
    attempt.finish(Ok("done".into()));
    soon_enough(waiting).await.unwrap().unwrap();
    let id = parent.task.id.clone();
    parent.finish(Ok("finished".into()));
    soon_enough(engine.close()).await.unwrap();
    let stored = rig.store.get(&[id]).await.unwrap().pop().unwrap();
    assert_eq!(stored.result, "finished");
}

#[tokio::test]
async fn an_attempt_that_waits_for_what_will_not_run_any_more_is_stopped_by_close() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let worker = worker.with_crash_policy(CrashPolicy::Rerun);
    let builder = rig.builder().worker("work", worker).max_running(1);
    let engine = builder.start().await.unwrap();
    let parent = engine.submit(work("parent")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    let later = rig.clock.now().saturating_add(Duration::from_secs(3600));
    let child = engine.submit(work("child").run_at(later)).await.unwrap();
    let waiting = wait(&attempt, &child.id);
    engine.close_within(Duration::ZERO).await.unwrap_err();
    let stopped = soon_enough(waiting).await.unwrap().unwrap_err();
    assert!(matches!(stopped, WaitError::Stopped(CancelReason::Shutdown)), "{stopped}");
    attempt.finish(Err(stopped.into()));
    soon_enough(engine.close()).await.unwrap();
    let stored = rig.store.get(&[parent.id, child.id]).await.unwrap();
    assert_eq!((stored[0].status, stored[0].interruptions), (TaskStatus::Retrying, 1));
    assert_eq!(stored[1].status, TaskStatus::Pending);
}

#[tokio::test]
async fn an_attempt_goes_on_waiting_for_what_another_engine_can_run() {
    let rig = Rig::new();
    let (engine, _script, parent) = parent_in(&rig, 1).await;
    let (elsewhere, mut other) = scripted();
    let builder = rig.builder().worker("elsewhere", elsewhere).max_running(1);
    let other_engine = builder.start().await.unwrap();
    let blocker = other_engine.submit(TaskRequest::new("elsewhere", "busy")).await.unwrap();
    let busy = soon_enough(other.next()).await;
    let child = engine.submit(TaskRequest::new("elsewhere", "child")).await.unwrap();
    let waiting = wait(&parent, &child.id);
    engine.close_within(Duration::ZERO).await.unwrap_err();
    soon_enough(sleepers(&rig)).await;
    rig.skip();
    busy.finish(Ok("done".into()));
    end_of(&other_engine, blocker.id).await;
    soon_enough(other.next()).await.finish(Ok("done there".into()));
    assert_eq!(soon_enough(waiting).await.unwrap().unwrap().result, "done there");
    parent.finish(Ok("done".into()));
    soon_enough(engine.close()).await.unwrap();
}

#[tokio::test]
async fn shutdown_stops_attempts_that_wait() {
    let rig = Rig::new();
    let (engine, mut script, parent) = parent_in(&rig, 1).await;
    let waiting = wait(&parent, &submit(&engine, "child").await);
    let child = soon_enough(script.next()).await;
    let shutdown = tokio::spawn({
        let engine = engine.clone();
        async move { engine.shutdown(Duration::ZERO).await }
    });
    let stopped = soon_enough(waiting).await.unwrap().unwrap_err();
    assert!(matches!(stopped, WaitError::Stopped(CancelReason::Shutdown)), "{stopped}");
    for attempt in [parent, child] {
        attempt.finish(Err(WorkerError::cancelled()));
    }
    soon_enough(shutdown).await.unwrap().unwrap();
}
