//! Cases: which waiting tasks an instance gets.

use std::collections::HashSet;
use std::sync::Arc;

use loom_core::{
    Claim, ClaimScope, InstanceId, NewTask, Op, RetryReason, TaskId, TaskQuery, TaskStatus,
    Transition,
};

use super::actor::Actor;
use super::harness::{Harness, broken, must, only};
use super::samples::{
    WORK, apply, at, badly, cancel, claim, due, id, insert, lane, new_task, plain, request,
};

fn ids<const N: usize>(names: [&str; N]) -> Vec<TaskId> {
    names.map(id).to_vec()
}

fn of_type(name: &str, worker_type: &str) -> NewTask {
    let mut new = plain(name);
    new.request.worker_type = worker_type.into();
    new
}

fn of_engine(name: &str, engine_name: &str) -> NewTask {
    let mut new = plain(name);
    new.engine_name = engine_name.to_owned();
    new
}

fn pinned(name: &str, instance: &InstanceId) -> NewTask {
    let mut new = plain(name);
    new.pinned_to = Some(instance.clone());
    new
}

/// Tasks are taken in the order in which they were due, not in that of their submission.
pub async fn the_longest_due_comes_first(h: &Harness) {
    let actor = h.join().await;
    actor.insert_all([due("c", 30), due("a", 10), due("b", 20)]).await;
    let taken = actor.take(claim(10, 100)).await;
    assert_eq!(taken, ids(["a", "b", "c"]), "the longest due task is taken first");
}

/// Among tasks due at one moment the one submitted first is taken first.
pub async fn equally_due_tasks_come_in_the_order_of_their_numbers(h: &Harness) {
    let actor = h.join().await;
    actor.insert_all(["c", "a", "b"].map(plain)).await;
    let taken = actor.take(claim(2, 100)).await;
    assert_eq!(taken, ids(["c", "a"]), "equally due tasks are taken as they were submitted");
}

/// The limit of a claim counts all its lanes together.
pub async fn a_claim_takes_no_more_than_its_limit(h: &Harness) {
    let actor = h.join().await;
    let other = ["x", "y"].map(|name| of_type(name, "other"));
    actor.insert_all(["a", "b"].map(plain).into_iter().chain(other)).await;
    let lanes = vec![lane(WORK, 10), lane("other", 10)];
    for (limit, expected) in [(3, 3), (3, 1), (3, 0)] {
        let wanted = Claim { lanes: lanes.clone(), ..claim(limit, 100) };
        let taken = actor.take(wanted).await.len();
        assert_eq!(taken, expected, "a claim takes what is there, up to its limit");
    }
}

/// Each lane has a limit of its own.
pub async fn a_lane_takes_no_more_than_its_limit(h: &Harness) {
    let actor = h.join().await;
    actor.insert_all(["a", "b", "c"].map(plain)).await;
    actor.insert_all(["x", "y"].map(|name| of_type(name, "other"))).await;
    let lanes = vec![lane(WORK, 2), lane("other", 1)];
    let taken = actor.take(Claim { lanes, ..claim(10, 100) }).await;
    assert_eq!(taken, ids(["a", "b", "x"]), "no lane takes more than its limit");
    let lanes = vec![lane(WORK, 0), lane("other", 1)];
    let taken = actor.take(Claim { lanes, ..claim(10, 100) }).await;
    assert_eq!(taken, ids(["y"]), "a lane of limit zero takes nothing");
}

/// However many tasks wait for a full lane, those of other lanes behind them are taken.
pub async fn a_full_lane_does_not_hold_up_the_others(h: &Harness) {
    let actor = h.join().await;
    actor.insert_all((0..300).map(|n| plain(&format!("a{n:03}")))).await;
    actor.insert(of_type("x", "other")).await;
    let lanes = vec![lane(WORK, 1), lane("other", 1)];
    let taken = actor.take(Claim { lanes, ..claim(2, 100) }).await;
    assert_eq!(taken, ids(["a000", "x"]), "a full lane does not hold up the others");
}

/// Tasks of types that the claim does not name stay pending.
pub async fn only_named_worker_types_are_taken(h: &Harness) {
    let actor = h.join().await;
    actor.insert_all([of_type("x", "other"), plain("a")]).await;
    let taken = actor.take(claim(10, 100)).await;
    assert_eq!(taken, ids(["a"]), "only tasks of the named worker types are taken");
    let status = h.task(&id("x")).await.status;
    assert_eq!(status, TaskStatus::Pending, "tasks of other types stay pending");
    let none = Claim { lanes: Vec::new(), ..claim(10, 100) };
    let told = actor.claim(none).await;
    assert!(told.claimed.is_empty(), "a claim without lanes takes nothing");
    assert_eq!(told.next_due, None, "nothing that it might have taken is due");
}

/// A task is not taken before its time.
pub async fn what_is_due_later_stays(h: &Harness) {
    let actor = h.join().await;
    actor.insert_all([due("later", 50), due("now", 10)]).await;
    assert_eq!(actor.take(claim(10, 9)).await, [], "before its time a task is not taken");
    let taken = actor.take(claim(10, 10)).await;
    assert_eq!(taken, ids(["now"]), "a task is taken as soon as it is due");
    assert_eq!(actor.take(claim(10, 50)).await, ids(["later"]), "and the other at its time");
}

/// A retry waits for its due time, and its order among others is that of its due time.
pub async fn a_retrying_task_is_taken_when_it_is_due(h: &Harness) {
    let actor = h.join().await;
    let task = actor.running("retry").await;
    let retry = Transition::retry(&task, at(5), at(40), RetryReason::Failed, badly());
    actor.change(retry).await;
    actor.insert_all([due("after", 45), due("before", 30)]).await;
    assert_eq!(actor.take(claim(10, 39)).await, ids(["before"]), "a retry waits for its time");
    let taken = actor.take(claim(10, 50)).await;
    assert_eq!(taken, ids(["retry", "after"]), "a retry is taken in the order of its due time");
}

/// A claim is for the tasks of one engine.
pub async fn only_tasks_of_its_engine_are_taken(h: &Harness) {
    let (actor, other) = (h.join().await, h.join_as("other").await);
    actor.insert_all([of_engine("theirs", "other"), plain("ours")]).await;
    let told = actor.claim(claim(10, 100)).await;
    let taken: Vec<_> = told.claimed.iter().map(|task| task.id.clone()).collect();
    assert_eq!(taken, ids(["ours"]), "only tasks of the claim's engine are taken");
    assert_eq!(told.next_due, None, "what is due in another engine does not count");
    let engine_name = "other".to_owned();
    let taken = other.take(Claim { engine_name, ..claim(10, 100) }).await;
    assert_eq!(taken, ids(["theirs"]), "the other engine takes its own");
}

/// A pinned task is taken by the instance it is pinned to and by no other.
pub async fn a_pinned_task_is_only_for_its_instance(h: &Harness) {
    let (owner, other) = (h.join().await, h.join().await);
    owner.insert_all([pinned("pinned", owner.id()), plain("shared")]).await;
    let told = other.claim(claim(10, 100)).await;
    let taken: Vec<_> = told.claimed.iter().map(|task| task.id.clone()).collect();
    assert_eq!(taken, ids(["shared"]), "nobody else takes a pinned task");
    assert_eq!(told.next_due, None, "what is pinned to another is not due here");
    let taken = owner.take(claim(10, 100)).await;
    assert_eq!(taken, ids(["pinned"]), "a pinned task is taken by its instance");
}

/// A claim of scope `Pinned` leaves what is for all.
pub async fn a_pinned_claim_takes_nothing_else(h: &Harness) {
    let (actor, other) = (h.join().await, h.join().await);
    actor
        .insert_all([plain("shared"), pinned("mine", actor.id()), pinned("theirs", other.id())])
        .await;
    let told = actor.claim(Claim { scope: ClaimScope::Pinned, ..claim(10, 100) }).await;
    let taken: Vec<_> = told.claimed.iter().map(|task| task.id.clone()).collect();
    assert_eq!(taken, ids(["mine"]), "a pinned claim takes only what is pinned to it");
    assert_eq!(told.next_due, None, "what is for all does not count for a pinned claim");
}

/// What comes back from a claim is the task as it is stored: running, owned, started now.
pub async fn a_claimed_task_is_running_and_in_the_hands_of_its_claimer(h: &Harness) {
    let actor = h.join().await;
    actor.insert(plain("t")).await;
    let mut model = h.task(&id("t")).await;
    model.claim(actor.id(), at(20));
    let told = actor.claim(claim(1, 20)).await;
    let claimed = only(told.claimed, "a due task is claimed");
    assert_eq!(claimed, model, "a claim changes what the model changes");
    assert_eq!(h.task(&id("t")).await, model, "a claimed task is stored as it came back");
    assert_eq!(claimed.status, TaskStatus::Running, "a claimed task is running");
    assert_eq!(claimed.prompt, "do it", "a claimed task comes with its prompt");
}

/// The epoch of a task grows with every claim.
pub async fn every_claim_has_a_fresh_epoch(h: &Harness) {
    let actor = h.join().await;
    actor.insert(plain("t")).await;
    let mut epochs = vec![h.task(&id("t")).await.epoch];
    for round in 0..4 {
        let seconds = 10 + round * 10;
        let claimed = actor.claim(claim(1, seconds)).await.claimed;
        let task = only(claimed, "a task that was given back is claimed again");
        epochs.push(task.epoch);
        actor.change(Transition::release(&task, at(seconds + 1), badly())).await;
    }
    let growing = epochs.is_sorted_by(|earlier, later| earlier < later);
    assert!(growing, "every claim has an epoch that was not used before: {epochs:?}");
}

/// With nothing due before it, a task that is inserted with a claim is running when the batch is.
pub async fn a_claim_takes_what_its_batch_inserted(h: &Harness) {
    let actor = h.join().await;
    let ops = vec![Op::Claim(claim(1, 0)), insert(plain("t"))];
    let claimed = actor.commit(ops).await.claimed;
    let task = only(claimed, "a claim takes the task that its batch inserted");
    assert_eq!((task.id, task.status), (id("t"), TaskStatus::Running), "it is running");
}

/// Nothing is overtaken by what is inserted with a claim.
pub async fn what_was_due_before_goes_before_what_its_batch_inserted(h: &Harness) {
    let actor = h.join().await;
    actor.insert(plain("old")).await;
    let mut new = plain("new");
    new.created_at = at(5);
    let told = actor.commit(vec![insert(new), Op::Claim(claim(1, 5))]).await;
    let taken: Vec<_> = told.claimed.iter().map(|task| task.id.clone()).collect();
    assert_eq!(taken, ids(["old"]), "what was due before goes first");
    assert_eq!(h.task(&id("new")).await.status, TaskStatus::Pending, "the new task waits");
    assert_eq!(told.next_due, None, "what is due and left waits for room, not for its time");
}

/// A claim of limit zero changes nothing; its answer tells of cancels and of the next due time.
pub async fn a_claim_of_nothing_takes_nothing_and_tells(h: &Harness) {
    let actor = h.join().await;
    let running = actor.running("running").await;
    actor.insert(due("waiting", 30)).await;
    actor.answer(cancel(&running.id, 5)).await;
    let told = actor.claim(claim(0, 20)).await;
    assert!(told.claimed.is_empty(), "a claim of limit zero takes nothing");
    assert_eq!(told.cancels, [(running.id, running.epoch)], "it tells of cancels");
    assert_eq!(told.next_due, Some(at(30)), "it tells of the next due time");
    let status = h.task(&id("waiting")).await.status;
    assert_eq!(status, TaskStatus::Pending, "a claim of limit zero changes nothing");
}

/// The next due time is that of the first task that was not due yet, also where others were left.
pub async fn the_next_due_time_is_that_of_the_first_not_due_yet(h: &Harness) {
    let actor = h.join().await;
    let told = actor.claim(claim(10, 100)).await;
    assert_eq!(told.next_due, None, "where nothing waits, nothing is due");
    let tasks = [due("d", 500), due("a", 10), due("b2", 30), due("b", 20), due("c", 400)];
    actor.insert_all(tasks).await;
    let told = actor.claim(claim(1, 100)).await;
    assert_eq!(told.next_due, Some(at(400)), "a task that was due and left does not hide the next");
    let full = Claim { lanes: vec![lane(WORK, 0)], ..claim(10, 100) };
    let told = actor.claim(full).await;
    assert_eq!(told.next_due, Some(at(400)), "also if it was left because its lane is full");
    let told = actor.claim(claim(10, 100)).await;
    assert_eq!(told.next_due, Some(at(400)), "after that, the one that is due next");
    actor.answer(cancel(&id("c"), 200)).await;
    let told = actor.claim(claim(10, 200)).await;
    assert_eq!(told.next_due, Some(at(500)), "a task that has ended is not due");
}

/// Without a claim the answer says nothing of cancels and due times.
pub async fn without_a_claim_nothing_is_told(h: &Harness) {
    let actor = h.join().await;
    let running = actor.running("running").await;
    actor.answer(cancel(&running.id, 5)).await;
    let told = actor.commit(vec![insert(plain("t"))]).await;
    assert_eq!(told.cancels, [], "cancels are told with a claim only");
    assert_eq!(told.next_due, None, "due times are told with a claim only");
    assert!(told.claimed.is_empty(), "nothing is claimed without a claim");
}

/// Claims until nothing is left; what was taken.
async fn take_all(actor: Actor) -> (Actor, Vec<TaskId>) {
    let mut taken = Vec::new();
    loop {
        let more = actor.take(claim(7, 100)).await;
        if more.is_empty() {
            return (actor, taken);
        }
        taken.extend(more);
        assert!(taken.len() <= 1000, "what was claimed is not claimed again and again");
    }
}

/// However many instances claim at once, each task goes to one of them.
pub async fn no_task_is_claimed_twice(h: &Harness) {
    let second = h.second().await;
    let mut actors = Vec::new();
    for _ in 0..2 {
        actors.push(h.join().await);
        actors.push(h.join_on(&Arc::clone(&second), "default").await);
    }
    let names: Vec<String> = (0..200).map(|n| format!("t{n}")).collect();
    if let Some(actor) = actors.first() {
        actor.insert_all(names.iter().map(|name| new_task(name, request()))).await;
    }
    let takers: Vec<_> = actors.into_iter().map(|a| tokio::spawn(take_all(a))).collect();
    let mut taken = HashSet::new();
    let mut alive = Vec::new();
    for taker in takers {
        let (actor, tasks) = must(taker.await, "instances can claim at the same time");
        for task in h.get(&tasks).await {
            let owner = task.instance.as_ref();
            assert_eq!(owner, Some(actor.id()), "{} is in the hands of who got it", task.id);
        }
        for task in tasks {
            assert!(taken.insert(task.clone()), "{task} was claimed twice");
        }
        alive.push(actor);
    }
    assert_eq!(taken.len(), names.len(), "every due task is claimed by somebody");
    let running = TaskQuery::all().statuses([TaskStatus::Running]);
    if h.count(&running).await.total() != 200 {
        broken("every claimed task is running");
    }
    // A batch with an end and a claim frees and takes in one step.
    let Some((actor, task)) = alive.first().zip(taken.iter().next()) else {
        return;
    };
    let task = h.task(task).await;
    let release = apply(Transition::release(&task, at(101), badly()));
    let told = actor.commit(vec![release, Op::Claim(claim(1, 101))]).await;
    let again = only(told.claimed, "a task that its batch gave back is claimed");
    assert_eq!(again.id, task.id, "a task that its batch gave back is claimed");
}
