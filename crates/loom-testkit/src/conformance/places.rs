//! Cases: opening, closing, and several handles on one place.

use std::sync::Arc;
use std::time::Duration;

use loom_core::{Capability, StoreError, TaskQuery, TaskStatus, TaskStore, Transition};

use super::harness::{Harness, broken, must};
use super::samples::{at, badly, claim, id, insert, plain};
use crate::within::within;

/// Longer than any store takes to notice a change.
const NOTICE_MAX: Duration = Duration::from_secs(30);

/// A store that is ready can be prepared again, also by many at once, and keeps what it has.
pub async fn prepare_can_be_repeated(h: &Harness) {
    let actor = h.join().await;
    let task = actor.running("t").await;
    for again in 0..3 {
        must(h.store().prepare().await, "prepare can be repeated");
        let stored = h.task(&task.id).await;
        assert_eq!(stored, task, "prepare keeps what is stored (time {again})");
    }
}

/// After `close` every call answers `Closed`.
pub async fn a_closed_store_says_so(h: &Harness) {
    let actor = h.join().await;
    let task = id("t");
    must(h.close().await, "a store can be closed");
    let store = h.store();
    let batch = actor.batch(vec![insert(plain("t"))]);
    let answers = [
        ("commit", store.commit(&batch).await.err()),
        ("get", store.get(std::slice::from_ref(&task)).await.err()),
        ("list", store.list(&TaskQuery::all()).await.err()),
        ("count", store.count(&TaskQuery::all()).await.err()),
        ("attempts", store.attempts(&task).await.err()),
        ("join", store.join(&actor.instance).await.err()),
        ("changed", within(NOTICE_MAX, store.changed()).await.err()),
    ];
    for (call, answer) in answers {
        if !matches!(answer, Some(StoreError::Closed)) {
            broken(&format!("after close, {call} answers `Closed` (it answered {answer:?})"));
        }
    }
}

async fn noticed(store: &Arc<dyn TaskStore>, guarantee: &str) {
    must(within(NOTICE_MAX, store.changed()).await, guarantee);
}

/// Whoever waits for a change is woken by the commit of another handle.
pub async fn a_commit_through_another_handle_is_noticed(h: &Harness) {
    let Some(other) = h.reopen().await else {
        return;
    };
    let actor = h.join().await;
    for round in 0..3 {
        let watcher = Arc::clone(&other);
        let waiting = tokio::spawn(async move {
            noticed(&watcher, "a commit through another handle is noticed").await;
        });
        tokio::task::yield_now().await;
        actor.insert(plain(&format!("t{round}"))).await;
        must(waiting.await, "a commit through another handle is noticed");
    }
}

/// A change that came while nobody waited is not missed.
pub async fn a_commit_before_the_wait_is_noticed(h: &Harness) {
    let Some(other) = h.reopen().await else {
        return;
    };
    let actor = h.join().await;
    for round in 0..2 {
        actor.insert(plain(&format!("t{round}"))).await;
        noticed(&other, "a commit between two waits is noticed by the second").await;
    }
}

/// Handles on one place see the same tasks, and compete for them.
pub async fn what_was_committed_is_there_for_all_handles(h: &Harness) {
    let Some(other) = h.reopen().await else {
        return;
    };
    let (here, there) = (h.join().await, h.join_on(&other, "default").await);
    here.insert(plain("t")).await;
    let taken = there.claim(claim(1, 10)).await.claimed;
    assert_eq!(taken.len(), 1, "a task of one handle can be claimed through another");
    assert!(here.take(claim(1, 10)).await.is_empty(), "and then by nobody else");
    for task in taken {
        let done = there.change(Transition::fail(&task, at(20), badly())).await;
        assert_eq!(h.task(&done.id).await, done, "an end is seen through every handle");
    }
}

/// Opened again after it was closed, the place has every task, attempt and number.
pub async fn everything_is_there_after_reopening(h: &Harness) {
    if !h.can(Capability::Reopen) {
        return;
    }
    let actor = h.join().await;
    for status in TaskStatus::ALL {
        actor.bring(plain(status.as_str()), status).await;
    }
    let ids: Vec<_> = TaskStatus::ALL.iter().map(|status| id(status.as_str())).collect();
    let before = h.get(&ids).await;
    let attempts = h.attempts(&id(TaskStatus::Retrying.as_str())).await;
    drop(actor);
    must(h.close().await, "a store can be closed");

    let Some(again) = h.reopen().await else {
        broken("a store that names `Reopen` can be reopened; let the factory do it")
    };
    let after = must(again.get(&ids).await, "tasks can be read after reopening");
    assert_eq!(after, before, "every task is there after reopening");
    let retrying = id(TaskStatus::Retrying.as_str());
    let kept = must(again.attempts(&retrying).await, "attempts can be read after reopening");
    assert_eq!(kept, attempts, "every attempt is there after reopening");
    let actor = h.join_on(&again, "default").await;
    let seq = actor.insert(plain("new")).await;
    let latest = before.iter().map(|task| task.seq).max();
    assert!(Some(seq) > latest, "numbers go on where they were after reopening");
}
