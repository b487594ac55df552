//! The end of an engine.

use std::time::Duration;

use loom_core::{
    CancelReason, CrashPolicy, Error, FailureCode, TaskEvent, TaskQuery, TaskStatus, TaskStore,
    WorkerError,
};
use loom_engine::Engine;
use loom_testkit::{Faults, FaultyStore, Gate, Script, Signal, scripted};

use crate::recovery::Gone;
use crate::rig::{Rig, end_of, sleepers, soon_enough, work};

#[tokio::test]
async fn close_waits_for_attempts_and_every_caller_for_the_same_end() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    let closing: Vec<_> = (0..3)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.close().await })
        })
        .collect();
    engine.close_within(Duration::ZERO).await.unwrap_err();
    assert!(matches!(engine.submit(work("late")).await, Err(Error::Closed)));
    assert!(closing.iter().all(|close| !close.is_finished()));
    attempt.finish(Ok("done".into()));
    for close in closing {
        soon_enough(close).await.unwrap().unwrap();
    }
    engine.close().await.unwrap();
    let stored = rig.store.get(&[submitted.id]).await.unwrap().pop().unwrap();
    assert_eq!(stored.status, TaskStatus::Completed);
}

#[tokio::test]
async fn a_close_that_runs_out_of_time_names_what_still_runs_and_goes_on() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    let refused = engine.close_within(Duration::ZERO).await.unwrap_err();
    assert_eq!(refused.to_string(), "1 task is still running");
    assert!(matches!(refused, Error::StillRunning { tasks } if tasks == [submitted.id]));
    attempt.finish(Ok("done".into()));
    soon_enough(engine.close()).await.unwrap();
}

#[tokio::test]
async fn what_waits_stays_for_the_next_start() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let engine = rig.builder().worker("work", worker).max_running(1).start().await.unwrap();
    engine.submit(work("runs")).await.unwrap();
    let waits = engine.submit(work("waits")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    engine.close_within(Duration::ZERO).await.unwrap_err();
    attempt.finish(Ok("done".into()));
    soon_enough(engine.close()).await.unwrap();
    assert!(script.started().is_none());
    let stored = rig.store.get(&[waits.id]).await.unwrap().pop().unwrap();
    assert_eq!(stored.status, TaskStatus::Pending);
}

#[tokio::test]
async fn shutdown_stops_what_does_not_end_and_fails_it_as_interrupted() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("x")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    let shutdown = engine.shutdown(Duration::from_secs(5));
    let script = async {
        sleepers(&rig).await;
        rig.skip();
        assert_eq!(attempt.cancelled().await, Some(CancelReason::Shutdown));
        attempt.finish(Err(WorkerError::cancelled()));
    };
    let (ended, ()) = soon_enough(async { tokio::join!(shutdown, script) }).await;
    ended.unwrap();
    let stored = rig.store.get(&[submitted.id]).await.unwrap().pop().unwrap();
    assert_eq!(
        (stored.status, stored.failure),
        (TaskStatus::Failed, Some(FailureCode::Interrupted))
    );
}

#[tokio::test]
async fn shutdown_gives_back_what_may_be_run_again() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let worker = worker.with_crash_policy(CrashPolicy::Rerun);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    let shutdown = engine.shutdown(Duration::ZERO);
    let stop = async {
        attempt.cancelled().await;
        attempt.finish(Err(WorkerError::cancelled()));
    };
    let (ended, ()) = soon_enough(async { tokio::join!(shutdown, stop) }).await;
    ended.unwrap();
    let stored = rig.store.get(std::slice::from_ref(&submitted.id)).await.unwrap().pop().unwrap();
    assert_eq!((stored.status, stored.retries), (TaskStatus::Retrying, 0));
    assert_eq!(stored.interruptions, 1);
    let (engine, mut script) = rig.scripted().await;
    soon_enough(script.next()).await.finish(Ok("again".into()));
    assert_eq!(end_of(&engine, submitted.id).await.result, "again");
}

#[tokio::test]
async fn a_waiter_is_told_when_the_engine_closes_before_the_end() {
    let rig = Rig::new();
    let engine = rig.builder().start().await.unwrap();
    let submitted = engine.submit(work("never")).await.unwrap();
    let waiting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.wait(submitted.id).await }
    });
    tokio::task::yield_now().await;
    engine.close().await.unwrap();
    let told = soon_enough(waiting).await.unwrap();
    assert!(matches!(told, Err(Error::Closed)), "{told:?}");
}

#[tokio::test]
async fn submissions_that_race_with_close_are_finished_or_leave_no_trace() {
    let rig = Rig::new();
    let echo = loom_core::worker_fn(async |_, task: loom_core::Task| Ok(task.prompt));
    let engine = rig.builder().worker("work", echo).start().await.unwrap();
    let submitting: Vec<_> = (0..50)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.submit(work("x")).await })
        })
        .collect();
    tokio::task::yield_now().await;
    engine.close().await.unwrap();
    let mut acknowledged = 0;
    for submit in submitting {
        match soon_enough(submit).await.unwrap() {
            Ok(submitted) => {
                acknowledged += 1;
                let stored = rig.store.get(&[submitted.id]).await.unwrap().pop().unwrap();
                assert_eq!(stored.status, TaskStatus::Completed);
            }
            Err(error) => assert!(matches!(error, Error::Closed), "{error}"),
        }
    }
    assert_eq!(rig.store.count(&TaskQuery::all()).await.unwrap().total(), acknowledged);
}

/// An engine whose commits can be held, and a submission that waits in such a commit.
async fn caught_in_a_commit(rig: &Rig) -> (Engine, Script, Faults, Gate) {
    let (store, faults) = FaultyStore::new(rig.store.reopen());
    let (worker, script) = scripted();
    let engine = rig.builder_on(store).worker("work", worker).start().await.unwrap();
    let gate = faults.hold();
    let submitting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.submit(work("caught")).await }
    });
    soon_enough(faults.waiting(1)).await;
    submitting.abort();
    assert!(submitting.await.unwrap_err().is_cancelled());
    (engine, script, faults, gate)
}

#[tokio::test]
async fn close_waits_for_what_a_commit_under_way_starts() {
    let rig = Rig::new();
    let (engine, mut script, _faults, gate) = caught_in_a_commit(&rig).await;
    engine.close_within(Duration::ZERO).await.unwrap_err();
    gate.open();
    let attempt = soon_enough(script.next()).await;
    engine.close_within(Duration::ZERO).await.unwrap_err();
    let id = attempt.task.id.clone();
    attempt.finish(Ok("kept".into()));
    soon_enough(engine.close()).await.unwrap();
    let stored = rig.store.get(&[id]).await.unwrap().pop().unwrap();
    assert_eq!((stored.status, stored.result.as_str()), (TaskStatus::Completed, "kept"));
}

#[tokio::test]
async fn shutdown_also_stops_what_starts_after_it_began() {
    let rig = Rig::new();
    let (engine, mut script, _faults, gate) = caught_in_a_commit(&rig).await;
    let shutdown = tokio::spawn({
        let engine = engine.clone();
        async move { engine.shutdown(Duration::ZERO).await }
    });
    engine.close_within(Duration::ZERO).await.unwrap_err();
    tokio::task::yield_now().await;
    gate.open();
    soon_enough(shutdown).await.unwrap().unwrap();
    assert!(script.started().is_none(), "it is stopped before it begins");
    let counts = rig.store.count(&TaskQuery::all()).await.unwrap();
    assert_eq!((counts.of(TaskStatus::Failed), counts.total()), (1, 1));
}

#[tokio::test]
async fn callbacks_are_told_everything_before_close_returns() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let told = Signal::new();
    let count = told.clone();
    let _subscription = engine.events().subscribe(move |_: &TaskEvent| count.raise());
    engine.submit(work("x")).await.unwrap();
    soon_enough(script.next()).await.finish(Ok("done".into()));
    soon_enough(engine.close()).await.unwrap();
    assert_eq!(told.count(), 4);
}

#[tokio::test]
async fn close_and_a_recovery_under_way_do_not_wait_for_each_other() {
    let rig = Rig::new();
    let (store, faults) = FaultyStore::new(rig.store.reopen());
    let engine = rig.builder_on(store).start().await.unwrap();
    Gone::leave(&rig, "test", &["a", "b"], &[]).await;
    let gate = faults.hold();
    let recovering = tokio::spawn({
        let engine = engine.clone();
        async move { engine.recover_crashed().await }
    });
    soon_enough(faults.waiting(1)).await;
    let closing = tokio::spawn({
        let engine = engine.clone();
        async move { engine.close().await }
    });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    gate.open();
    soon_enough(closing).await.unwrap().unwrap();
    let recovered = soon_enough(recovering).await.unwrap();
    assert!(matches!(recovered, Ok(2) | Err(Error::Closed)), "{recovered:?}");
    // What it did not come to, the next start does.
    let next = rig.builder().start().await.unwrap();
    for id in ["a", "b"] {
        assert_eq!(next.get(id).await.unwrap().status, TaskStatus::FailedCrash);
    }
}
