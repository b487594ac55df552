//! A store that goes away and comes back.

use loom_core::limits::STORE_WAIT_MAX;
use loom_core::{Error, EventType, StoreError, TaskQuery, TaskStatus, TaskStore};
use loom_testkit::{Faults, FaultyStore, Script, scripted};

use crate::rig::{Rig, as_time_passes, end_of, kinds, soon_enough, until, work};

async fn faulty(rig: &Rig) -> (loom_engine::Engine, Script, Faults) {
    let (store, faults) = FaultyStore::new(rig.store.reopen());
    let (worker, script) = scripted();
    let engine = rig.builder_on(store).worker("work", worker).start().await.unwrap();
    (engine, script, faults)
}

#[tokio::test]
async fn the_end_of_an_attempt_is_stored_once_the_store_is_back() {
    let rig = Rig::new();
    let (engine, mut script, faults) = faulty(&rig).await;
    let submitted = engine.submit(work("paid for")).await.unwrap();
    let before = faults.commits();
    faults.go_away();
    soon_enough(script.next()).await.finish(Ok("worth a lot".into()));
    let ended = async {
        faults.reached(before + 5).await;
        faults.back();
        end_of(&engine, &submitted.id).await
    };
    let task = as_time_passes(&rig, ended).await;
    assert_eq!((task.status, task.result.as_str()), (TaskStatus::Completed, "worth a lot"));
}

#[tokio::test]
async fn a_submission_is_refused_after_a_bounded_wait_and_leaves_no_trace() {
    let rig = Rig::new();
    let (engine, _script, faults) = faulty(&rig).await;
    faults.go_away();
    let begun = loom_deps::Clock::now(&*rig.clock);
    let refused = as_time_passes(&rig, engine.submit(work("x"))).await.unwrap_err();
    assert!(matches!(refused, Error::Store(StoreError::Unavailable { .. })), "{refused}");
    let waited = loom_deps::Clock::now(&*rig.clock).since(begun);
    assert!(waited >= STORE_WAIT_MAX && waited < STORE_WAIT_MAX * 2, "{waited:?}");
    faults.back();
    let submitted = as_time_passes(&rig, engine.submit(work("y"))).await.unwrap();
    assert_eq!(submitted.seq, 1);
    assert_eq!(rig.store.count(&TaskQuery::all()).await.unwrap().total(), 1);
}

#[tokio::test]
async fn a_commit_of_unknown_outcome_is_settled_and_told_of_once() {
    let rig = Rig::new();
    let (engine, mut script, faults) = faulty(&rig).await;
    let mut stream = engine.events().stream();
    faults.lose_answer(1);
    let submitted = as_time_passes(&rig, engine.submit(work("x"))).await.unwrap();
    faults.lose_answer(1);
    soon_enough(script.next()).await.finish(Ok("done".into()));
    let task = as_time_passes(&rig, end_of(&engine, &submitted.id)).await;
    assert_eq!((task.status, task.attempt), (TaskStatus::Completed, 1));
    let events = until(&mut stream, EventType::Completed).await;
    use EventType::{Completed, Created, Dispatched, Running};
    assert_eq!(kinds(&events), [Created, Dispatched, Running, Completed]);
    assert!(script.started().is_none());
}

#[tokio::test]
async fn many_submissions_share_a_commit() {
    let rig = Rig::new();
    let (engine, _script, faults) = faulty(&rig).await;
    let gate = faults.hold();
    let before = faults.commits();
    let submitting: Vec<_> = (0..100)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.submit(work("x")).await })
        })
        .collect();
    soon_enough(faults.waiting(1)).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    gate.open();
    for submit in submitting {
        soon_enough(submit).await.unwrap().unwrap();
    }
    let commits = faults.commits() - before;
    assert!(commits <= 3, "{commits} commits for 100 submissions");
}

#[tokio::test]
async fn a_cancel_behind_an_end_that_cannot_be_stored_is_refused_after_a_bounded_wait() {
    let rig = Rig::new();
    let (engine, mut script, faults) = faulty(&rig).await;
    let first = engine.submit(work("ends")).await.unwrap();
    let second = engine.submit(work("runs on")).await.unwrap();
    let ends = soon_enough(script.next()).await;
    let _runs = soon_enough(script.next()).await;
    let before = faults.commits();
    faults.go_away();
    ends.finish(Ok("worth a lot".into()));
    soon_enough(faults.reached(before + 1)).await;
    let begun = loom_deps::Clock::now(&*rig.clock);
    let refused = as_time_passes(&rig, engine.cancel(&second.id)).await.unwrap_err();
    assert!(matches!(refused, Error::Store(StoreError::Unavailable { .. })), "{refused}");
    let waited = loom_deps::Clock::now(&*rig.clock).since(begun);
    assert!(waited >= STORE_WAIT_MAX && waited < STORE_WAIT_MAX * 2, "{waited:?}");
    faults.back();
    let task = as_time_passes(&rig, end_of(&engine, &first.id)).await;
    assert_eq!(task.result, "worth a lot");
    assert_eq!(engine.get(second.id).await.unwrap().status, TaskStatus::Running);
}

#[tokio::test]
async fn what_waited_behind_a_stuck_commit_is_done_once_the_store_is_back() {
    let rig = Rig::new();
    let (engine, mut script, faults) = faulty(&rig).await;
    let first = engine.submit(work("ends")).await.unwrap();
    let second = engine.submit(work("is cancelled")).await.unwrap();
    let ends = soon_enough(script.next()).await;
    let runs = soon_enough(script.next()).await;
    let before = faults.commits();
    faults.go_away();
    ends.finish(Ok("worth a lot".into()));
    soon_enough(faults.reached(before + 1)).await;
    let cancel = async {
        let back = async {
            faults.reached(before + 3).await;
            faults.back();
        };
        tokio::join!(engine.cancel(&second.id), back).0
    };
    as_time_passes(&rig, cancel).await.unwrap();
    soon_enough(runs.cancelled()).await;
    runs.finish(Ok("x".into()));
    assert_eq!(end_of(&engine, &second.id).await.status, TaskStatus::Cancelled);
    assert_eq!(end_of(&engine, &first.id).await.status, TaskStatus::Completed);
}
