//! The memory store keeps what every store must.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use loom_core::{
    Batch, Capability, Instance, InstanceId, NewTask, Op, StoreError, TaskId, TaskQuery,
    TaskRequest, TaskStore,
};
use loom_deps::Timestamp;
use loom_testkit::{MemoryStore, StoreFactory, within};

struct InMemory(MemoryStore);

#[async_trait]
impl StoreFactory for InMemory {
    type Store = MemoryStore;

    async fn create(&self) -> MemoryStore {
        self.0.clone()
    }

    async fn reopen(&self, store: &MemoryStore) -> Option<MemoryStore> {
        Some(store.reopen())
    }
}

mod conformance {
    use super::{InMemory, MemoryStore};

    loom_testkit::store_conformance!(InMemory(MemoryStore::new()));
}

mod conformance_without_capabilities {
    use super::{Capability, InMemory, MemoryStore};

    loom_testkit::store_conformance!(InMemory(
        MemoryStore::new()
            .without(Capability::Import)
            .without(Capability::Prune)
            .without(Capability::Reopen)
    ));
}

fn instance(name: &str) -> Instance {
    let id = InstanceId::new(name).unwrap();
    Instance::new(id, "default", Timestamp::from_micros(0))
}

fn batch(by: &Instance, number: u64) -> Batch {
    let new = NewTask {
        id: TaskId::new(format!("{}-{number}", by.id)).unwrap(),
        engine_name: "default".to_owned(),
        request: TaskRequest::new("work", "do it"),
        created_at: Timestamp::from_micros(0),
        pinned_to: None,
        daemon_id: None,
    };
    Batch { instance: by.id.clone(), number, ops: vec![Op::Insert(Box::new(new))] }
}

/// Whether a future is still waiting after it was given every chance.
async fn waits<F: Future>(future: std::pin::Pin<&mut F>) -> bool {
    let mut future = future;
    for _ in 0..10 {
        tokio::task::yield_now().await;
        let polled = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if polled.is_ready() {
            return false;
        }
    }
    true
}

#[tokio::test]
async fn a_handle_is_not_told_of_its_own_commits() {
    let store = MemoryStore::new();
    let me = instance("me");
    let _membership = store.join(&me).await.unwrap();
    let mut changed = pin!(store.changed());
    assert!(waits(changed.as_mut()).await);
    store.commit(&batch(&me, 1)).await.unwrap();
    assert!(waits(changed.as_mut()).await, "its own commit is no news");

    let other = store.clone();
    let you = instance("you");
    let _membership = other.join(&you).await.unwrap();
    assert!(waits(changed.as_mut()).await, "nobody changed a task");
    other.commit(&batch(&you, 1)).await.unwrap();
    within(Duration::from_secs(10), changed).await.unwrap();
    let mut again = pin!(store.changed());
    assert!(waits(again.as_mut()).await, "a change is told once");
}

#[tokio::test]
async fn a_commit_without_effect_is_no_change() {
    let store = MemoryStore::new();
    let other = store.reopen();
    let me = instance("me");
    let _membership = store.join(&me).await.unwrap();
    let first = batch(&me, 1);
    store.commit(&first).await.unwrap();
    within(Duration::from_secs(10), other.changed()).await.unwrap();
    store.commit(&first).await.unwrap();
    let duplicate = Batch { number: 2, ..first };
    store.commit(&duplicate).await.unwrap();
    let mut changed = pin!(other.changed());
    assert!(waits(changed.as_mut()).await);
}

#[tokio::test]
async fn all_who_wait_on_one_handle_are_told() {
    let store = MemoryStore::new();
    let other = store.reopen();
    let me = instance("me");
    let _membership = store.join(&me).await.unwrap();
    let (mut one, mut two) = (pin!(other.changed()), pin!(other.changed()));
    assert!(waits(one.as_mut()).await && waits(two.as_mut()).await);
    store.commit(&batch(&me, 1)).await.unwrap();
    within(Duration::from_secs(10), one).await.unwrap();
    within(Duration::from_secs(10), two).await.unwrap();
}

#[tokio::test]
async fn closing_a_handle_wakes_who_waits_on_it_and_leaves_the_others_open() {
    let store = MemoryStore::new();
    let other = store.reopen();
    let mut changed = pin!(store.changed());
    assert!(waits(changed.as_mut()).await);
    store.close().await.unwrap();
    let answer = within(Duration::from_secs(10), changed).await;
    assert!(matches!(answer, Err(StoreError::Closed)));
    assert!(other.prepare().await.is_ok());
}

#[tokio::test]
async fn an_id_of_an_instance_joins_once() {
    let store = MemoryStore::new();
    let me = instance("me");
    let membership = store.join(&me).await.unwrap();
    let refused = store.join(&me).await.err().unwrap().to_string();
    assert!(refused.contains("has joined before"), "{refused}");
    drop(membership);
    assert!(store.join(&me).await.is_err(), "also after it died");
}

#[tokio::test]
async fn numbers_of_batches_only_grow() {
    let store = MemoryStore::new();
    let me = instance("me");
    let _membership = store.join(&me).await.unwrap();
    store.commit(&batch(&me, 5)).await.unwrap();
    let older = batch(&me, 4);
    assert!(store.commit(&older).await.is_err());
    assert_eq!(store.count(&TaskQuery::all()).await.unwrap().total(), 1);
}
