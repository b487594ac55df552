//! Cases: accounts that are held back.

use std::sync::Arc;

use loom_core::{
    Account, Applied, Capability, Claim, Committed, Held, Hold, Lane, NewTask, Op, StoreError,
    TaskId, TaskQuery, TaskStore,
};
use loom_deps::Timestamp;

use super::actor::Actor;
use super::harness::{Harness, broken, must};
use super::samples::{WORK, at, claim, due, id, insert, plain};

/// Holds an account at second 1, until second `seconds`.
fn hold(account: &str, seconds: i64) -> Op {
    hold_at(account, Some(at(seconds)), 1)
}

fn release(account: &str) -> Op {
    hold_at(account, None, 1)
}

fn hold_at(account: &str, until: Option<Timestamp>, seconds: i64) -> Op {
    Op::Hold(Hold { account: account.into(), until, at: at(seconds) })
}

fn charged<const N: usize>(worker_type: &str, accounts: [&str; N]) -> Lane {
    Lane::new(worker_type, u32::MAX).charged_to(accounts)
}

/// A claim at second `seconds` for plain tasks, which are charged to the account `ours`.
fn ours(seconds: i64) -> Claim {
    Claim { lanes: vec![charged(WORK, ["ours"])], ..claim(10, seconds) }
}

fn other(name: &str) -> NewTask {
    let mut new = plain(name);
    new.request.worker_type = "other".into();
    new
}

fn held(account: &str, seconds: i64) -> Held {
    Held { account: account.into(), until: at(seconds) }
}

fn taken(committed: &Committed) -> Vec<TaskId> {
    committed.claimed.iter().map(|task| task.id.clone()).collect()
}

async fn holds(store: &dyn TaskStore) -> Vec<Held> {
    must(store.holds().await, "what is held can be read")
}

/// A store without the capability refuses the op and changes nothing.
pub async fn a_store_that_cannot_hold_refuses_the_batch(h: &Harness) {
    let actor = h.join().await;
    if h.can(Capability::Hold) {
        let answer = actor.answer(hold("ours", 100)).await;
        assert_eq!(answer, Applied::Held(Some(at(100))), "a store that can hold does");
        return;
    }
    let batch = actor.batch(vec![insert(plain("t")), hold("ours", 100)]);
    match actor.send(&batch).await {
        Err(StoreError::Unsupported(Capability::Hold)) => {}
        other => broken(&format!(
            "a store that cannot hold answers `Unsupported(Hold)` (the answer was {other:?})"
        )),
    }
    let count = h.count(&TaskQuery::all()).await.total();
    assert_eq!(count, 0, "the whole batch is refused, also what the store knows");
    assert_eq!(holds(h.store()).await, [], "nothing is held");
}

/// What is charged to a held account is not claimed before the end of the hold.
pub async fn a_held_account_is_left_out_until_its_end(h: &Harness) {
    if !h.can(Capability::Hold) {
        return;
    }
    let actor = h.join().await;
    actor.insert_all(["a", "b"].map(plain)).await;
    actor.answer(hold("ours", 100)).await;
    let told = actor.claim(ours(99)).await;
    assert_eq!(taken(&told), [], "a held account is left out");
    assert_eq!(told.held, [held("ours", 100)], "the claim tells who is held");
    assert_eq!(h.task(&id("a")).await.attempt, 0, "nothing is spent by waiting");
    let told = actor.claim(ours(100)).await;
    assert_eq!(taken(&told), [id("a"), id("b")], "with the end of the hold all are taken");
    assert_eq!(told.held, [], "what is over is held no more");
}

/// The end of a hold is when the tasks fall due that it holds back.
pub async fn the_end_of_a_hold_is_told_as_due(h: &Harness) {
    if !h.can(Capability::Hold) {
        return;
    }
    let actor = h.join().await;
    actor.answer(hold("ours", 100)).await;
    let told = actor.claim(ours(10)).await;
    assert_eq!(told.next_due, None, "where nothing waits, the end of a hold is of no interest");
    actor.insert(due("late", 300)).await;
    let told = actor.claim(ours(10)).await;
    assert_eq!(told.next_due, Some(at(300)), "what falls due after the hold does so then");
    actor.insert(due("soon", 50)).await;
    let told = actor.claim(ours(10)).await;
    assert_eq!(told.next_due, Some(at(100)), "what falls due during the hold does so at its end");
    actor.insert(due("now", 5)).await;
    let told = actor.claim(ours(10)).await;
    assert_eq!(told.next_due, Some(at(100)), "and so does what is due already");
    let mut both = other("other");
    both.request = both.request.run_at(at(70));
    actor.insert(both).await;
    let lanes = vec![charged(WORK, ["ours"]), charged("other", ["theirs"])];
    let told = actor.claim(Claim { lanes, ..claim(10, 10) }).await;
    assert_eq!(told.next_due, Some(at(70)), "the first of all lanes is told");
}

/// A hold that ends sooner than the one there is changes nothing.
pub async fn a_hold_is_only_lengthened(h: &Harness) {
    if !h.can(Capability::Hold) {
        return;
    }
    let actor = h.join().await;
    for (asked, expected) in [(100, 100), (50, 100), (200, 200)] {
        let answer = actor.answer(hold("ours", asked)).await;
        assert_eq!(answer, Applied::Held(Some(at(expected))), "a hold is only lengthened");
    }
    assert_eq!(holds(h.store()).await, [held("ours", 200)], "it is kept as it was answered");
    let answer = actor.answer(hold_at("theirs", Some(at(5)), 5)).await;
    assert_eq!(answer, Applied::Held(None), "a hold that is over when it comes holds nothing");
}

/// A release ends the hold at once, and what waited is claimed with it.
pub async fn a_release_ends_the_hold_at_once(h: &Harness) {
    if !h.can(Capability::Hold) {
        return;
    }
    let actor = h.join().await;
    actor.insert(plain("t")).await;
    actor.answer(hold("ours", 100)).await;
    let told = actor.commit(vec![Op::Claim(ours(10)), release("ours")]).await;
    assert_eq!(told.applied.get(1), Some(&Applied::Held(None)), "a release leaves nothing held");
    assert_eq!(taken(&told), [id("t")], "a release counts before the claim of its batch");
    let again = actor.answer(release("ours")).await;
    assert_eq!(again, Applied::Held(None), "there is nothing wrong with a release of nothing");
}

/// A hold counts for the claim of its own batch, wherever the ops stand.
pub async fn a_hold_counts_before_the_claim_of_its_batch(h: &Harness) {
    if !h.can(Capability::Hold) {
        return;
    }
    let actor = h.join().await;
    actor.insert(plain("t")).await;
    let told = actor.commit(vec![Op::Claim(ours(10)), hold("ours", 100)]).await;
    assert_eq!(taken(&told), [], "a hold takes effect before the claim of its batch");
    assert_eq!(told.next_due, Some(at(100)), "and the claim tells of it");
}

/// What is inserted while its account is held waits, even if its batch claims.
pub async fn what_is_inserted_during_a_hold_waits(h: &Harness) {
    if !h.can(Capability::Hold) {
        return;
    }
    let actor = h.join().await;
    actor.answer(hold("ours", 100)).await;
    let lanes = vec![charged(WORK, ["ours"]), charged("other", ["theirs"])];
    let both = Claim { lanes, ..claim(10, 10) };
    let told =
        actor.commit(vec![insert(plain("t")), insert(other("o")), Op::Claim(both.clone())]).await;
    assert_eq!(taken(&told), [id("o")], "only what is charged to others starts");
    assert_eq!(told.next_due, Some(at(100)), "the rest waits for the end of the hold");
    let ops = vec![insert(plain("u")), hold("theirs", 50), insert(other("p")), Op::Claim(both)];
    let told = actor.commit(ops).await;
    assert_eq!(taken(&told), [], "also for a hold that comes with it");
    assert_eq!(told.next_due, Some(at(50)), "the first hold to end is told");
    assert_eq!(told.held, [held("ours", 100), held("theirs", 50)], "all are told, by their names");
}

/// Only lanes of the account are left out.
pub async fn other_accounts_are_not_held(h: &Harness) {
    if !h.can(Capability::Hold) {
        return;
    }
    let actor = h.join().await;
    actor.insert_all([plain("t"), other("o")]).await;
    actor.answer(hold("theirs", 100)).await;
    let lanes = vec![charged(WORK, ["ours"]), charged("other", [])];
    let told = actor.claim(Claim { lanes, ..claim(10, 10) }).await;
    assert_eq!(taken(&told), [id("t"), id("o")], "others, and those without account, go on");
    assert_eq!(told.held, [], "accounts that the claim does not name are of no interest to it");
}

/// A lane of several accounts is open as long as one of them is free.
pub async fn a_lane_is_open_while_one_of_its_accounts_is_free(h: &Harness) {
    if !h.can(Capability::Hold) {
        return;
    }
    let actor = h.join().await;
    let mixed = Claim { lanes: vec![charged(WORK, ["ours", "theirs"])], ..claim(1, 10) };
    actor.insert_all(["a", "b"].map(plain)).await;
    actor.answer(hold("ours", 100)).await;
    let told = actor.claim(mixed.clone()).await;
    assert_eq!(taken(&told), [id("a")], "one account that is free keeps its lane open");
    assert_eq!(told.held, [held("ours", 100)], "the claim tells which is not");
    actor.answer(hold("theirs", 60)).await;
    let told = actor.claim(mixed).await;
    assert_eq!(taken(&told), [], "without one the lane is left out");
    assert_eq!(told.next_due, Some(at(60)), "until the first is free");
}

/// Holds are forgotten once they are over, so that they do not pile up.
pub async fn holds_that_are_over_are_forgotten(h: &Harness) {
    if !h.can(Capability::Hold) {
        return;
    }
    let actor = h.join().await;
    for n in 0..20 {
        actor.answer(hold(&format!("account {n}"), 10)).await;
    }
    actor.answer(hold_at("ours", Some(at(100)), 10)).await;
    assert_eq!(holds(h.store()).await, [held("ours", 100)], "what is over goes with the next hold");
    let count = h.count(&TaskQuery::all()).await.total();
    assert_eq!(count, 0, "a hold is not a task");
}

/// Holds count for all instances and engines, whatever handle they came through.
pub async fn holds_are_shared_by_all(h: &Harness) {
    if !h.can(Capability::Hold) {
        return;
    }
    let actor = h.join().await;
    actor.answer(hold("ours", 100)).await;
    let second = h.second().await;
    let elsewhere = h.join_on(&Arc::clone(&second), "other").await;
    let mut new = plain("t");
    new.engine_name = "other".to_owned();
    elsewhere.insert(new).await;
    let theirs = |seconds| Claim { engine_name: "other".to_owned(), ..ours(seconds) };
    let told = elsewhere.claim(theirs(10)).await;
    assert_eq!(taken(&told), [], "a hold counts for every engine of the store");
    assert_eq!(holds(&*second).await, [held("ours", 100)], "and can be read by all");
    elsewhere.answer(release("ours")).await;
    assert_eq!(holds(h.store()).await, [], "whoever releases it does so for all");
    assert_eq!(elsewhere.take(theirs(10)).await, [id("t")], "and the task is claimed");
}

/// A batch that is sent again answers as before, whatever became of the hold since.
pub async fn a_repeated_hold_answers_as_before(h: &Harness) {
    if !h.can(Capability::Hold) {
        return;
    }
    let (actor, other): (Actor, Actor) = (h.join().await, h.join().await);
    let batch = actor.batch(vec![hold("ours", 100), Op::Claim(ours(10))]);
    let first = must(actor.send(&batch).await, "a sound batch is taken");
    other.answer(release("ours")).await;
    let again = must(actor.send(&batch).await, "a sound batch is taken");
    assert_eq!(again, first, "it answers as before");
    assert_eq!(holds(h.store()).await, [], "and holds nothing anew");
}

/// Any text can be the name of an account.
pub async fn strange_accounts_come_back(h: &Harness) {
    if !h.can(Capability::Hold) {
        return;
    }
    let actor = h.join().await;
    let names = ["", "%", "a'b", "nul\0nul", "ü — ☕"];
    for name in names {
        actor.answer(hold(name, 100)).await;
    }
    let held: Vec<Account> = holds(h.store()).await.into_iter().map(|held| held.account).collect();
    assert_eq!(held, names.map(Account::from), "accounts come back as they are");
}
