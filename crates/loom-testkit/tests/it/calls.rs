//! Calls of a single row, on a store that has trouble.

use std::sync::Arc;

use loom_core::{
    CallError, Instance, InstanceId, NewTask, StoreCalls, StoreError, TaskId, TaskQuery,
    TaskRequest, TaskStatus,
};
use loom_deps::{FakeClock, Timestamp};
use loom_testkit::{FaultyStore, MemoryStore};

fn me() -> Instance {
    Instance::new(InstanceId::new("me").unwrap(), "default", Timestamp::from_micros(0))
}

fn task(name: &str) -> NewTask {
    NewTask {
        id: TaskId::new(name).unwrap(),
        engine_name: "default".to_owned(),
        request: TaskRequest::new("work", "do it"),
        created_at: Timestamp::from_micros(0),
        pinned_to: None,
        daemon_id: None,
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_the_call_is_done_once() {
    let (store, faults) = FaultyStore::new(MemoryStore::new());
    let mut calls = store.session(me(), Arc::new(FakeClock::default())).await.unwrap();
    (1..=2).for_each(|nth| faults.lose_answer(nth));
    let created = calls.create(task("a")).await.unwrap();
    assert!(!created.duplicate);
    assert_eq!(faults.commits(), 3, "sent until its answer came");
    faults.lose_answer(1);
    let (pending, dispatched) = (TaskStatus::Pending, TaskStatus::Dispatched);
    calls.update_status(&created.id, pending, dispatched).await.unwrap();
    let task = calls.get(&created.id).await.unwrap();
    assert_eq!((task.status, task.epoch), (dispatched, 1), "handed over once");
}

#[tokio::test]
async fn an_answer_that_stays_lost_is_said_to_be_unknown() {
    let (store, faults) = FaultyStore::new(MemoryStore::new());
    let mut calls = store.session(me(), Arc::new(FakeClock::default())).await.unwrap();
    (1..=3).for_each(|nth| faults.lose_answer(nth));
    let answer = calls.create(task("a")).await;
    assert!(matches!(answer, Err(CallError::Store(StoreError::Unknown { .. }))), "{answer:?}");
    let answer = calls.create(task("a")).await;
    assert!(matches!(answer, Err(CallError::Exists(_))), "it was made: {answer:?}");
}

#[tokio::test]
async fn a_store_that_is_away_changes_nothing_and_the_call_can_be_repeated() {
    let (store, faults) = FaultyStore::new(MemoryStore::new());
    let mut calls = store.session(me(), Arc::new(FakeClock::default())).await.unwrap();
    faults.away(1);
    let answer = calls.create(task("a")).await;
    assert!(matches!(answer, Err(CallError::Store(StoreError::Unavailable { .. }))), "{answer:?}");
    assert_eq!(calls.count_all(TaskQuery::all()).await.unwrap().total(), 0);
    calls.create(task("a")).await.unwrap();
    assert_eq!(calls.count_all(TaskQuery::all()).await.unwrap().total(), 1);
}

#[tokio::test]
async fn what_was_refused_says_what_can_be_done() {
    let store = MemoryStore::new();
    let mut calls = store.session(me(), Arc::new(FakeClock::default())).await.unwrap();
    let id = calls.create(task("a")).await.unwrap().id;
    let (pending, running) = (TaskStatus::Pending, TaskStatus::Running);
    let refused = calls.update_status(&id, pending, running).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "no task goes from pending to running; from pending it may go to dispatched, failed, \
         cancelled"
    );
    let (completed, failed) = (TaskStatus::Completed, TaskStatus::Failed);
    let refused = calls.update_status(&id, completed, failed).await.unwrap_err().to_string();
    assert_eq!(refused, "no task goes from completed to failed; completed is an end");
    assert!(format!("{calls:?}").contains("StoreSession"), "it can be shown");
}
