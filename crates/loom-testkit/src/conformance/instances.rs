//! Cases: who is alive, and what becomes of the dead.

use loom_core::{Cursor, Dead, StoreError, Task, TaskQuery, TaskStatus, Transition};

use super::actor::Actor;
use super::harness::{Harness, broken, must, only};
use super::samples::{WORK, at, badly, id, insert, plain};

async fn dead(actor: &Actor) -> Vec<Dead> {
    must(actor.membership.dead().await, "an instance can ask for the dead")
}

async fn elsewhere(actor: &Actor, worker_type: &str) -> bool {
    let answer = actor.membership.elsewhere(&worker_type.into()).await;
    must(answer, "an instance can ask what others have workers for")
}

async fn left_by(h: &Harness, dead: &Dead, after: Option<Cursor>) -> Vec<Task> {
    let page = h.store().left_by(&dead.instance.id, after).await;
    let page = must(page, "it can be asked what a dead instance left");
    assert_eq!((page.unreadable, page.next), (Vec::new(), None), "a few tasks fit on a page");
    page.tasks
}

async fn announce(actor: &Actor, worker_types: &[&str]) {
    let types: Vec<_> = worker_types.iter().map(|&text| text.into()).collect();
    must(actor.membership.announce(&types).await, "an instance can announce its worker types");
}

/// A held membership means alive; a dropped one means dead.
pub async fn an_instance_lives_while_its_membership_is_held(h: &Harness) {
    let (one, other) = (h.join().await, h.join().await);
    assert!(dead(&one).await.is_empty(), "who is alive is not among the dead");
    let instance = other.instance.clone();
    drop(other);
    let found = only(dead(&one).await, "an instance is dead when its membership is dropped");
    assert_eq!(found.instance, instance, "a dead instance is told as it joined");
    let second = h.second().await;
    let third = h.join_on(&second, "default").await;
    drop(found);
    let found = only(dead(&third).await, "another handle sees the dead, too");
    assert_eq!(found.instance.id, instance.id, "and only them");
}

/// While one takes care of a dead instance, nobody else is told of it.
pub async fn a_dead_instance_is_handed_to_one_at_a_time(h: &Harness) {
    let (one, other, died) = (h.join().await, h.join().await, h.join().await);
    let second = h.second().await;
    let elsewhere = h.join_on(&second, "default").await;
    drop(died);
    let found = only(dead(&one).await, "the first to ask is told of a dead instance");
    assert!(dead(&other).await.is_empty(), "while it is held, nobody else is told");
    assert!(dead(&elsewhere).await.is_empty(), "nor through another handle");
    drop(found);
    only(dead(&other).await, "when the first lets go, the next is told");
}

/// A buried instance does not come back.
pub async fn a_buried_instance_is_forgotten(h: &Harness) {
    let (one, other, died) = (h.join().await, h.join().await, h.join().await);
    drop(died);
    let found = only(dead(&one).await, "a dead instance is told of");
    must(one.membership.bury(found).await, "a dead instance can be buried");
    assert!(dead(&one).await.is_empty(), "a buried instance is forgotten");
    assert!(dead(&other).await.is_empty(), "a buried instance is forgotten by all");
}

/// Recovery is a matter of one engine's instances.
pub async fn instances_of_other_engines_are_not_seen(h: &Harness) {
    let (ours, theirs) = (h.join_as("ours").await, h.join_as("theirs").await);
    announce(&theirs, &[WORK]).await;
    assert!(!elsewhere(&ours, WORK).await, "workers of another engine do not count");
    drop(theirs);
    assert!(dead(&ours).await.is_empty(), "the dead of another engine are not told of");
}

/// Tasks in the hands of a dead instance, or pinned to it, are found, and can be ended by another.
pub async fn what_a_dead_instance_had_in_hand_is_found(h: &Harness) {
    let (one, died) = (h.join().await, h.join().await);
    let running = died.running("running").await;
    let dispatched = died.bring(plain("dispatched"), TaskStatus::Dispatched).await;
    let mut pinned = plain("pinned");
    pinned.pinned_to = Some(died.id().clone());
    died.insert(pinned).await;
    died.insert(plain("shared")).await;
    one.running("not its own").await;
    drop(died);

    let found = only(dead(&one).await, "a dead instance is told of");
    let left = TaskQuery::all().instance(found.instance.id.clone());
    let mut ids = h.ids(&left).await;
    ids.sort();
    let expected = [id("dispatched"), id("pinned"), id("running")];
    assert_eq!(ids, expected, "what a dead instance had in hand is found");
    let whole = left_by(h, &found, None).await;
    let oldest_first = h.get(&[id("running"), id("dispatched"), id("pinned")]).await;
    assert_eq!(whole, oldest_first, "what a dead instance left comes whole, the oldest first");
    let after = whole.first().map(|task| Cursor { seq: task.seq });
    assert_eq!(left_by(h, &found, after).await, oldest_first[1..], "a cursor leads on from there");
    for task in [running, dispatched] {
        let task = one.change(Transition::crash(&task, at(50), badly())).await;
        assert_eq!(task.status, TaskStatus::FailedCrash, "another instance can end it");
    }
    let pinned = h.task(&id("pinned")).await;
    let pinned = one.change(Transition::abandon(&pinned, at(50), badly())).await;
    assert_eq!(pinned.status, TaskStatus::FailedCrash, "also what was pinned to the dead");
    assert_eq!(left_by(h, &found, None).await, [], "what has ended is not left any more");
}

/// Who has left or died is no longer heard.
pub async fn an_instance_that_left_may_not_commit(h: &Harness) {
    let (left, died) = (h.join().await, h.join().await);
    let batches = [left.batch(vec![insert(plain("a"))]), died.batch(vec![insert(plain("b"))])];
    must(left.membership.leave().await, "an instance can leave");
    drop(died.membership);
    for batch in batches {
        match h.store().commit(&batch).await {
            Err(StoreError::NotJoined(_)) => {}
            other => broken(&format!(
                "an instance that left is told `NotJoined` (the answer was {other:?})"
            )),
        }
    }
    assert_eq!(h.count(&TaskQuery::all()).await.total(), 0, "and nothing is changed");
}

/// A worker type is elsewhere if another live instance of the engine announced it last.
pub async fn an_announced_type_is_found_elsewhere(h: &Harness) {
    let one = h.join().await;
    let second = h.second().await;
    let other = h.join_on(&second, "default").await;
    announce(&one, &[WORK]).await;
    assert!(!elsewhere(&one, WORK).await, "what an instance has itself is not elsewhere");
    assert!(elsewhere(&other, WORK).await, "what another announced is elsewhere");
    assert!(!elsewhere(&other, "else").await, "what nobody announced is not");
    announce(&one, &["else", "more"]).await;
    assert!(!elsewhere(&other, WORK).await, "the latest announcement counts");
    assert!(elsewhere(&other, "else").await, "with all its types");
    drop(one);
    assert!(!elsewhere(&other, "else").await, "the workers of the dead do not count");
}
