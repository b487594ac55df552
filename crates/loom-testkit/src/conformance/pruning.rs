//! Cases: removing tasks that ended long ago. Of stores that can.

use loom_core::{
    Applied, Capability, Op, Prune, StoreError, TaskId, TaskQuery, TaskStatus, Transition,
};

use super::actor::Actor;
use super::harness::{Harness, broken};
use super::samples::{apply, at, badly, id, insert, plain, well};

fn prune(completed_before: i64, limit: u32) -> Op {
    Op::Prune(Prune { engine_name: None, completed_before: at(completed_before), limit })
}

/// A task that ended at second `seconds`.
async fn ended(actor: &Actor, name: &str, seconds: i64) {
    let task = actor.running(name).await;
    actor.change(Transition::complete(&task, at(seconds), well())).await;
}

/// The tasks that this removes.
async fn pruned(actor: &Actor, prune: Op) -> Vec<TaskId> {
    match actor.answer(prune).await {
        Applied::Pruned(removed) => removed,
        other => broken(&format!("a prune names the tasks it removed (it answered {other:?})")),
    }
}

async fn left(h: &Harness) -> Vec<TaskId> {
    let mut ids = h.ids(&TaskQuery::all()).await;
    ids.sort();
    ids
}

/// A store without the capability refuses the batch, and with it all its ops.
pub async fn a_store_that_cannot_prune_refuses_the_batch(h: &Harness) {
    if h.can(Capability::Prune) {
        return;
    }
    let actor = h.join().await;
    let running = actor.running("running").await;
    let end = apply(Transition::complete(&running, at(5), well()));
    let batch = actor.batch(vec![insert(plain("new")), end, prune(100, 1)]);
    match actor.send(&batch).await {
        Err(StoreError::Unsupported(Capability::Prune)) => {}
        other => broken(&format!("an op it cannot do is `Unsupported` (it answered {other:?})")),
    }
    assert!(h.find(&id("new")).await.is_none(), "a refused batch inserts nothing");
    assert_eq!(h.task(&running.id).await, running, "a refused batch changes nothing");
}

/// Tasks that have not ended, or not before the given time, stay.
pub async fn only_what_ended_before_is_removed(h: &Harness) {
    if !h.can(Capability::Prune) {
        return;
    }
    let actor = h.join().await;
    for status in TaskStatus::ALL {
        actor.bring(plain(status.as_str()), status).await;
    }
    assert_eq!(pruned(&actor, prune(3, 100)).await, [], "before means before");
    let ended = ["cancelled", "completed", "failed", "failed_crash"].map(id);
    assert_eq!(
        pruned(&actor, prune(4, 100)).await,
        ended,
        "every ended task is removed, and named"
    );
    let expected = ["dispatched", "pending", "retrying", "running"].map(id);
    assert_eq!(left(h).await, expected, "what has not ended is never removed");
    assert!(h.find(&id("completed")).await.is_none(), "a removed task is not found");
}

/// With more to remove than the limit, what ended first goes first.
pub async fn the_oldest_go_first_up_to_the_limit(h: &Harness) {
    if !h.can(Capability::Prune) {
        return;
    }
    let actor = h.join().await;
    for (name, seconds) in [("c", 30), ("a", 10), ("d", 40), ("b", 20)] {
        ended(&actor, name, seconds).await;
    }
    assert_eq!(pruned(&actor, prune(100, 0)).await, [], "a limit of zero");
    assert_eq!(pruned(&actor, prune(100, 2)).await, ["a", "b"].map(id), "up to the limit");
    assert_eq!(left(h).await, ["c", "d"].map(id), "what ended first goes first");
}

/// A prune for one engine leaves the tasks of others.
pub async fn other_engines_are_spared(h: &Harness) {
    if !h.can(Capability::Prune) {
        return;
    }
    let actor = h.join().await;
    ended(&actor, "ours", 10).await;
    let mut theirs = plain("theirs");
    theirs.engine_name = "other".to_owned();
    actor.bring(theirs, TaskStatus::Completed).await;
    let ours =
        Prune { engine_name: Some("default".to_owned()), completed_before: at(100), limit: 100 };
    let removed = pruned(&actor, Op::Prune(ours)).await;
    assert_eq!(removed, [id("ours")], "only tasks of the named engine are removed");
    assert_eq!(left(h).await, [id("theirs")], "the tasks of other engines stay");
}

/// With a task its attempts are removed: a new task of its id has none of them.
pub async fn attempts_go_with_their_task(h: &Harness) {
    if !h.can(Capability::Prune) {
        return;
    }
    let actor = h.join().await;
    let task = actor.bring(plain("t"), TaskStatus::Retrying).await;
    actor.change(Transition::fail(&task, at(10), badly())).await;
    actor.answer(prune(100, 100)).await;
    assert_eq!(h.attempts(&task.id).await, [], "attempts are removed with their task");
    actor.insert(plain("t")).await;
    assert_eq!(h.attempts(&task.id).await, [], "and do not come back with its id");
}

/// What ended in the batch that prunes can be removed by it, wherever the ops stand.
pub async fn pruning_counts_after_ends_of_its_batch(h: &Harness) {
    if !h.can(Capability::Prune) {
        return;
    }
    let actor = h.join().await;
    let task = actor.running("t").await;
    let end = apply(Transition::complete(&task, at(10), well()));
    let committed = actor.commit(vec![prune(100, 100), end]).await;
    let pruned = committed.applied.first();
    let removed = Applied::Pruned(vec![id("t")]);
    assert_eq!(pruned, Some(&removed), "pruning takes effect after ends");
}

/// The number of a removed task is not given to another.
pub async fn a_number_is_not_used_again(h: &Harness) {
    if !h.can(Capability::Prune) {
        return;
    }
    let actor = h.join().await;
    ended(&actor, "old", 10).await;
    let old = h.task(&id("old")).await.seq;
    actor.answer(prune(100, 100)).await;
    let new = actor.insert(plain("new")).await;
    assert!(new > old, "the number of a removed task is not used again: {new} after {old}");
}
