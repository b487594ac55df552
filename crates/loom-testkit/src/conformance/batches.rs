//! Cases: a batch is one atomic step with an answer to each op.

use loom_core::{Applied, Ended, InstanceId, Op, StoreError, TaskQuery, TaskStatus, Transition};

use super::actor::Actor;
use super::harness::{Harness, broken, must};
use super::samples::{apply, at, badly, cancel, claim, id, insert, plain, progress, well};

/// A batch that is refused changes nothing, whatever its ops could have done.
pub async fn a_refused_batch_leaves_nothing(h: &Harness) {
    let actor = h.join().await;
    let waiting = actor.bring(plain("waiting"), TaskStatus::Pending).await;
    let running = actor.running("running").await;
    let mut batch = actor.batch(vec![
        insert(plain("new")),
        Op::Progress(progress(&running, "line", 1, 5)),
        apply(Transition::complete(&running, at(5), well())),
        cancel(&waiting.id, 5),
        Op::Claim(claim(10, 5)),
    ]);
    batch.instance = must(InstanceId::new("stranger"), "an id of the suite is an id");
    assert!(actor.send(&batch).await.is_err(), "the batch of a stranger is refused");
    assert_eq!(h.task(&waiting.id).await, waiting, "a refused batch changes no waiting task");
    assert_eq!(h.task(&running.id).await, running, "a refused batch changes no running task");
    assert!(h.find(&id("new")).await.is_none(), "a refused batch inserts nothing");
}

/// Ops that have no effect are answered so and do not disturb those beside them.
pub async fn an_op_without_effect_does_not_disturb_its_neighbours(h: &Harness) {
    let actor = h.join().await;
    let running = actor.running("running").await;
    let ended = actor.bring(plain("ended"), TaskStatus::Completed).await;
    let mut stale = Transition::fail(&running, at(5), badly());
    stale.epoch += 7;
    let mut late = progress(&running, "late", 1, 5);
    late.epoch += 7;
    let committed = actor
        .commit(vec![
            insert(plain("ended")),
            insert(plain("new")),
            Op::Progress(late),
            apply(Transition::complete(&ended, at(5), well())),
            apply(stale),
            cancel(&id("unknown"), 5),
            cancel(&ended.id, 5),
            apply(Transition::complete(&running, at(5), well())),
        ])
        .await;
    let without_effect = committed.applied.iter().filter(|applied| {
        matches!(
            applied,
            Applied::Duplicate { .. } | Applied::Stale | Applied::NotFound | Applied::Ended(_)
        )
    });
    assert_eq!(without_effect.count(), 6, "an op without effect is answered so");
    assert!(h.find(&id("new")).await.is_some(), "an insert beside them is done");
    let status = h.task(&running.id).await.status;
    assert_eq!(status, TaskStatus::Completed, "an end beside them is applied");
    assert_eq!(h.task(&ended.id).await, ended, "they themselves change nothing");
}

/// Ops take effect in the order of their kinds; answers stand in the order of the ops.
pub async fn answers_stand_in_the_order_of_their_ops(h: &Harness) {
    let actor = h.join().await;
    let running = actor.running("running").await;
    let committed = actor
        .commit(vec![
            Op::Claim(claim(10, 5)),
            cancel(&id("unknown"), 5),
            apply(Transition::complete(&running, at(5), well())),
            insert(plain("new")),
            Op::Progress(progress(&running, "line", 1, 4)),
        ])
        .await;
    let answers = committed.applied.as_slice();
    let in_order = matches!(
        answers,
        [
            Applied::Claimed,
            Applied::NotFound,
            Applied::Changed { .. },
            Applied::Inserted { .. },
            Applied::Reported,
        ]
    );
    assert!(in_order, "answers stand in the order of their ops, not of their effects: {answers:?}");
}

/// An id that is there already is answered with its number, and its task stays as it is.
pub async fn an_id_is_inserted_once(h: &Harness) {
    let actor = h.join().await;
    let seq = actor.insert(plain("t")).await;
    let before = h.task(&id("t")).await;
    let mut other = plain("t");
    other.request.prompt = "something else".to_owned();
    let again = actor.answer(insert(other)).await;
    assert_eq!(again, Applied::Duplicate { seq }, "an id that is there is a duplicate");
    assert!(h.task(&id("t")).await == before, "a duplicate changes nothing");

    let committed = actor.commit(vec![insert(plain("u")), insert(plain("u"))]).await;
    match committed.applied.as_slice() {
        [Applied::Inserted { seq }, Applied::Duplicate { seq: again }] if seq == again => {}
        other => broken(&format!("an id is inserted once within a batch (answers: {other:?})")),
    }
}

/// Each task has a number of its own, greater than those before.
pub async fn numbers_for_people_grow_and_do_not_repeat(h: &Harness) {
    let actor = h.join().await;
    let mut latest = 0;
    for round in 0..3 {
        let names = ["a", "b", "c"].map(|name| format!("{name}{round}"));
        actor.insert_all(names.iter().map(|name| plain(name))).await;
        for name in &names {
            let seq = h.task(&id(name)).await.seq;
            assert!(seq > latest, "numbers grow in the order of insertion: {seq} after {latest}");
            latest = seq;
        }
    }
}

/// Sending a batch again under its number answers as before and changes nothing, also when another
/// instance has committed since.
pub async fn a_repeated_number_answers_as_before_and_changes_nothing(h: &Harness) {
    let (actor, other) = (h.join().await, h.join().await);
    let running = actor.running("running").await;
    let waiting = actor.bring(plain("waiting"), TaskStatus::Pending).await;
    let batch = actor.batch(vec![
        insert(plain("new")),
        insert(plain("waiting")),
        Op::Progress(progress(&running, "line", 1, 4)),
        apply(Transition::complete(&running, at(5), well())),
        cancel(&waiting.id, 5),
        Op::Claim(claim(10, 5)),
    ]);
    let first = must(actor.send(&batch).await, "a sound batch is taken");
    let before = h.list(&TaskQuery::all()).await;
    let second = must(actor.send(&batch).await, "a repeated batch is answered");
    assert_eq!(second.applied, first.applied, "a repeated number answers as before");
    assert!(second.claimed == first.claimed, "a repeated number claims what it had claimed");
    assert_eq!(second.next_due, first.next_due, "a repeated number tells the same due time");
    assert_eq!(second.cancels, first.cancels, "a repeated number tells the same cancels");
    assert_eq!(h.list(&TaskQuery::all()).await, before, "a repeated number changes nothing");

    other.insert(plain("elsewhere")).await;
    other.answer(cancel(&id("new"), 6)).await;
    let before = h.list(&TaskQuery::all()).await;
    let third = must(actor.send(&batch).await, "a repeated batch is answered");
    assert_eq!(third.applied, first.applied, "whatever others did, the answers stay");
    let ids = |committed: &loom_core::Committed| -> Vec<_> {
        committed.claimed.iter().map(|task| (task.id.clone(), task.epoch)).collect()
    };
    assert_eq!(ids(&third), ids(&first), "whatever others did, the claim stays");
    assert_eq!(h.list(&TaskQuery::all()).await, before, "and nothing is changed");
}

/// It is the number that tells a repeated batch.
pub async fn a_repeated_number_changes_nothing_even_with_other_ops(h: &Harness) {
    let actor = h.join().await;
    let batch = actor.batch(vec![insert(plain("a"))]);
    must(actor.send(&batch).await, "a sound batch is taken");
    let mut other = batch.clone();
    other.ops = vec![insert(plain("b"))];
    // What is answered to this misuse is up to the store.
    let _ = actor.send(&other).await;
    assert!(h.find(&id("b")).await.is_none(), "a batch under a used number does nothing");
}

/// Two instances may use the same numbers.
pub async fn numbers_belong_to_their_instance(h: &Harness) {
    let (one, other) = (h.join().await, h.join().await);
    one.insert(plain("a")).await;
    other.insert(plain("b")).await;
    let count = h.count(&TaskQuery::all()).await.total();
    assert_eq!(count, 2, "the number of a batch counts for its instance alone");
}

/// An instance that has not joined is told so.
pub async fn only_instances_that_joined_may_commit(h: &Harness) {
    let actor = h.join().await;
    let mut batch = actor.batch(vec![insert(plain("t"))]);
    batch.instance = must(InstanceId::new("stranger"), "an id of the suite is an id");
    match actor.send(&batch).await {
        Err(StoreError::NotJoined(instance)) => {
            assert_eq!(instance, batch.instance, "the refusal names the instance");
        }
        other => broken(&format!(
            "an instance that has not joined is told `NotJoined` (the answer was {other:?})"
        )),
    }
}

/// Progress that comes with the end of its attempt is taken in before it, wherever it stands.
pub async fn progress_counts_before_the_end_that_came_with_it(h: &Harness) {
    let actor = h.join().await;
    let task = actor.running("t").await;
    let committed = actor
        .commit(vec![
            apply(Transition::complete(&task, at(5), well())),
            Op::Progress(progress(&task, "last words", 1, 4)),
        ])
        .await;
    let reported = committed.applied.get(1);
    assert_eq!(reported, Some(&Applied::Reported), "progress comes before the end");
    let line = h.task(&task.id).await.progress.line;
    assert_eq!(line, "last words", "progress that came with an end is kept");
}

/// A task can be cancelled by the batch that inserts it, wherever the ops stand.
pub async fn inserts_count_before_what_changes_them(h: &Harness) {
    let actor = h.join().await;
    let committed = actor.commit(vec![cancel(&id("t"), 1), insert(plain("t"))]).await;
    let cancelled = committed.applied.first();
    assert!(
        matches!(cancelled, Some(Applied::Cancelled(_))),
        "inserts take effect before cancels: {cancelled:?}"
    );
    let status = h.task(&id("t")).await.status;
    assert_eq!(status, TaskStatus::Cancelled, "inserts take effect before cancels");
}

/// Changes of one task in one batch are applied one after the other.
pub async fn changes_of_one_task_follow_one_another(h: &Harness) {
    let actor = h.join().await;
    let pending = actor.bring(plain("t"), TaskStatus::Pending).await;
    let mut model = pending.clone();
    let mut ops = Vec::new();
    for step in [Transition::dispatch, Transition::start] {
        let change = step(&model, at(5));
        model.apply(&change, actor.id());
        ops.push(apply(change));
    }
    let end = Transition::complete(&model, at(6), well());
    model.apply(&end, actor.id());
    ops.push(apply(end));
    let committed = actor.commit(ops).await;
    let changed = |applied: &Applied| matches!(applied, Applied::Changed { .. });
    let answers = &committed.applied;
    assert!(answers.iter().all(changed), "each change finds what the one before left: {answers:?}");
    assert_eq!(h.task(&pending.id).await, model, "the task went through all of them");
}

async fn two_ends(h: &Harness, actor: &Actor, name: &str, first: Transition, second: Transition) {
    let committed = actor.commit(vec![apply(first.clone()), apply(second)]).await;
    let answers = committed.applied.as_slice();
    let first_wins = matches!(answers, [Applied::Changed { .. }, Applied::Stale]);
    assert!(first_wins, "{name}: the first of two ends in one batch wins: {answers:?}");
    let task = h.task(&first.task).await;
    assert_eq!(task.status, first.kind.target(), "{name}: the first end is what is stored");
    assert_eq!(task.result, first.ended.result, "{name}: nothing of the second is stored");
}

/// Of two ends of one task in one batch the first wins and the second is stale.
pub async fn the_first_of_two_ends_wins(h: &Harness) {
    let actor = h.join().await;
    let task = actor.running("t").await;
    let good = Transition::complete(&task, at(5), well());
    let other = Ended { result: "else".to_owned(), ..badly() };
    two_ends(h, &actor, "complete, fail", good, Transition::fail(&task, at(5), other)).await;

    let task = actor.running("u").await;
    let bad = Transition::crash(&task, at(5), badly());
    two_ends(h, &actor, "crash, complete", bad, Transition::complete(&task, at(5), well())).await;
}

/// A batch without ops is taken.
pub async fn a_batch_of_nothing_is_fine(h: &Harness) {
    let actor = h.join().await;
    let committed = actor.commit(Vec::new()).await;
    assert_eq!(committed, loom_core::Committed::default(), "a batch of nothing does nothing");
}
