//! Faults come when the test says so, and only then.

use std::sync::Arc;
use std::time::Duration;

use loom_core::{
    Applied, Batch, Instance, InstanceId, Membership, NewTask, Op, StoreError, TaskId, TaskQuery,
    TaskRequest, TaskStore,
};
use loom_deps::Timestamp;
use loom_testkit::{Faults, FaultyStore, MemoryStore, within};

const SOON: Duration = Duration::from_secs(10);

struct Setting {
    store: Arc<FaultyStore<MemoryStore>>,
    faults: Faults,
    _membership: Box<dyn Membership>,
}

fn id() -> InstanceId {
    InstanceId::new("instance").unwrap()
}

async fn setting() -> Setting {
    let (store, faults) = FaultyStore::new(MemoryStore::new());
    let instance = Instance::new(id(), "default", Timestamp::from_micros(0));
    store.prepare().await.unwrap();
    let membership = store.join(&instance).await.unwrap();
    Setting { store: Arc::new(store), faults, _membership: membership }
}

fn batch(number: u64) -> Batch {
    let new = NewTask {
        id: TaskId::new(format!("t{number}")).unwrap(),
        engine_name: "default".to_owned(),
        request: TaskRequest::new("work", "do it"),
        created_at: Timestamp::from_micros(0),
        pinned_to: None,
        daemon_id: None,
    };
    Batch { instance: id(), number, ops: vec![Op::Insert(Box::new(new))] }
}

async fn stored(store: &impl TaskStore) -> u64 {
    store.count(&TaskQuery::all()).await.unwrap().total()
}

#[tokio::test]
async fn without_faults_everything_passes() {
    let s = setting().await;
    s.store.commit(&batch(1)).await.unwrap();
    let id = TaskId::new("t1").unwrap();
    assert_eq!(s.store.get(std::slice::from_ref(&id)).await.unwrap().len(), 1);
    assert_eq!(s.store.list(&TaskQuery::all()).await.unwrap().tasks.len(), 1);
    assert!(s.store.attempts(&id).await.unwrap().is_empty());
    assert_eq!(s.store.capabilities(), MemoryStore::new().capabilities());
    s.store.close().await.unwrap();
    assert!(matches!(s.store.changed().await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn a_store_that_is_away_refuses_so_many_commits_and_changes_nothing() {
    let s = setting().await;
    s.faults.away(2);
    for _ in 0..2 {
        let refused = s.store.commit(&batch(1)).await;
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })));
        assert_eq!(stored(&*s.store).await, 0);
    }
    s.store.commit(&batch(1)).await.unwrap();
    assert_eq!(stored(&*s.store).await, 1);
    assert_eq!(s.faults.commits(), 3);
}

#[tokio::test]
async fn a_store_that_went_away_comes_back_when_told() {
    let s = setting().await;
    s.faults.go_away();
    for _ in 0..5 {
        assert!(s.store.commit(&batch(1)).await.is_err());
    }
    s.faults.back();
    assert!(s.store.commit(&batch(1)).await.is_ok());
}

#[tokio::test]
async fn a_lost_answer_belongs_to_a_commit_that_was_made() {
    let s = setting().await;
    s.faults.lose_answer(2);
    s.store.commit(&batch(1)).await.unwrap();
    let lost = s.store.commit(&batch(2)).await;
    assert!(matches!(lost, Err(StoreError::Unknown { number: 2, .. })));
    assert_eq!(stored(&*s.store).await, 2, "it was made all the same");
    let again = s.store.commit(&batch(2)).await.unwrap();
    assert!(matches!(again.applied[..], [Applied::Inserted { .. }]), "and is answered when asked");
}

#[tokio::test]
async fn held_commits_wait_until_the_gate_opens() {
    let s = setting().await;
    let gate = s.faults.hold();
    let store = Arc::clone(&s.store);
    let commit = tokio::spawn(async move { store.commit(&batch(1)).await });
    within(SOON, s.faults.waiting(1)).await;
    assert_eq!(stored(&*s.store).await, 0, "a held commit has changed nothing");
    assert!(!commit.is_finished());
    gate.open();
    within(SOON, commit).await.unwrap().unwrap();
    assert_eq!(stored(&*s.store).await, 1);
    within(SOON, s.faults.reached(1)).await;
}

#[tokio::test]
async fn a_gate_stays_shut_while_anybody_holds_it() {
    let s = setting().await;
    let (one, other) = (s.faults.hold(), s.faults.hold());
    let store = Arc::clone(&s.store);
    let commit = tokio::spawn(async move { store.commit(&batch(1)).await });
    within(SOON, s.faults.waiting(1)).await;
    drop(one);
    tokio::task::yield_now().await;
    assert!(!commit.is_finished());
    drop(other);
    within(SOON, commit).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_held_commit_that_is_dropped_does_nothing_and_is_not_counted_as_waiting() {
    let s = setting().await;
    let gate = s.faults.hold();
    let store = Arc::clone(&s.store);
    let commit = tokio::spawn(async move { store.commit(&batch(1)).await });
    within(SOON, s.faults.waiting(1)).await;
    commit.abort();
    assert!(commit.await.unwrap_err().is_cancelled());
    within(SOON, s.faults.waiting(0)).await;
    drop(gate);
    assert_eq!(stored(&*s.store).await, 0);
}
