//! Cases: asking for a task's end.

use loom_core::{Applied, Kind, Op, TaskStatus, Transition};

use super::harness::{Harness, broken};
use super::samples::{apply, at, badly, cancel, claim, id, plain, transition, well};

/// A pending or retrying task is cancelled by the request itself.
pub async fn a_waiting_task_is_cancelled_at_once(h: &Harness) {
    let actor = h.join().await;
    for status in [TaskStatus::Pending, TaskStatus::Retrying] {
        let mut model = actor.bring(plain(status.as_str()), status).await;
        let answer = actor.answer(cancel(&model.id, 10)).await;
        let expected = model.cancel(&loom_core::Cancel { task: model.id.clone(), at: at(10) });
        assert_eq!(answer, expected, "a {status} task is cancelled at once, and told as it is");
        let stored = h.task(&model.id).await;
        assert_eq!(stored, model, "a {status} task is cancelled at once, with its end time");
        assert!(actor.take(claim(10, 100)).await.is_empty(), "a cancelled task is not claimed");
    }
}

/// A dispatched or running task keeps its status until its owner ends it.
pub async fn a_task_in_hand_is_asked_to_end(h: &Harness) {
    let (actor, other) = (h.join().await, h.join().await);
    for status in [TaskStatus::Dispatched, TaskStatus::Running] {
        let mut expected = actor.bring(plain(status.as_str()), status).await;
        let answer = other.answer(cancel(&expected.id, 10)).await;
        assert_eq!(answer, Applied::CancelRequested, "the cancel of a {status} task is recorded");
        expected.cancel_requested_at = Some(at(10));
        let stored = h.task(&expected.id).await;
        assert_eq!(stored, expected, "a {status} task stays, and remembers when it was asked");
    }
}

/// Whatever the attempt's end says after a recorded cancel: the task is cancelled, and what was
/// produced is kept.
pub async fn a_recorded_cancel_wins_over_every_end(h: &Harness) {
    let actor = h.join().await;
    for kind in [Kind::Complete, Kind::Retry, Kind::Fail, Kind::Crash, Kind::Cancel] {
        let task = actor.running(&format!("{kind:?}")).await;
        actor.answer(cancel(&task.id, 5)).await;
        let Some(end) = transition(kind, &task, 10) else {
            continue;
        };
        let produced = end.ended.result.clone();
        let answer = actor.answer(apply(end)).await;
        let expected = Applied::Changed { from: TaskStatus::Running, to: TaskStatus::Cancelled };
        assert_eq!(answer, expected, "a recorded cancel wins over {kind:?}");
        let stored = h.task(&task.id).await;
        assert_eq!(stored.status, TaskStatus::Cancelled, "a recorded cancel wins over {kind:?}");
        assert_eq!(stored.result, produced, "what was produced is kept with the cancelled task");
        assert_eq!(stored.error, None, "a cancelled task has no error");
        assert_eq!(stored.failure, None, "a cancelled task has no failure code");
        assert_eq!(stored.completed_at, Some(at(10)), "it ends when its attempt ended");
    }
}

/// After its end a task is no longer cancelled, and the answer says how it ended.
pub async fn a_cancel_after_the_end_changes_nothing(h: &Harness) {
    let actor = h.join().await;
    for status in TaskStatus::ALL.into_iter().filter(|status| status.is_terminal()) {
        let task = actor.bring(plain(status.as_str()), status).await;
        let answer = actor.answer(cancel(&task.id, 10)).await;
        assert_eq!(answer, Applied::Ended(status), "the answer says how the task ended");
        assert_eq!(h.task(&task.id).await, task, "a {status} task is not changed by a cancel");
    }
}

/// There is nothing to cancel under an unknown id.
pub async fn a_cancel_of_nothing_is_not_found(h: &Harness) {
    let actor = h.join().await;
    let answer = actor.answer(cancel(&id("unknown"), 1)).await;
    assert_eq!(answer, Applied::NotFound, "the cancel of an unknown task is not found");
    assert!(h.find(&id("unknown")).await.is_none(), "the cancel of an unknown task leaves nothing");
}

/// Asked twice, a task remembers the first time.
pub async fn a_repeated_cancel_keeps_the_first_time(h: &Harness) {
    let actor = h.join().await;
    let task = actor.running("t").await;
    for seconds in [5, 9] {
        let answer = actor.answer(cancel(&task.id, seconds)).await;
        assert_eq!(answer, Applied::CancelRequested, "a cancel can be repeated");
    }
    let asked = h.task(&task.id).await.cancel_requested_at;
    assert_eq!(asked, Some(at(5)), "the first time of asking is kept");
}

/// A result that arrived before the cancel in the same batch is kept.
pub async fn an_end_before_a_cancel_in_one_batch_is_kept(h: &Harness) {
    let actor = h.join().await;
    let task = actor.running("t").await;
    let end = apply(Transition::complete(&task, at(5), well()));
    let committed = actor.commit(vec![end, cancel(&task.id, 5)]).await;
    let answers = committed.applied.as_slice();
    let kept = matches!(
        answers,
        [Applied::Changed { to: TaskStatus::Completed, .. }, Applied::Ended(TaskStatus::Completed)]
    );
    assert!(kept, "an end that arrived before a cancel is kept: {answers:?}");
    let stored = h.task(&task.id).await;
    assert_eq!(stored.status, TaskStatus::Completed, "an end that came before a cancel is kept");
    assert_eq!(stored.cancel_requested_at, None, "the cancel that came too late leaves no trace");
}

/// A cancel that arrived before the end in the same batch wins.
pub async fn a_cancel_before_an_end_in_one_batch_wins(h: &Harness) {
    let actor = h.join().await;
    let task = actor.running("t").await;
    let end = apply(Transition::fail(&task, at(5), badly()));
    let committed = actor.commit(vec![cancel(&task.id, 5), end]).await;
    let answers = committed.applied.as_slice();
    let cancelled = matches!(
        answers,
        [Applied::CancelRequested, Applied::Changed { to: TaskStatus::Cancelled, .. }]
    );
    assert!(cancelled, "a cancel that arrived before an end wins: {answers:?}");
    let stored = h.task(&task.id).await;
    assert_eq!(stored.status, TaskStatus::Cancelled, "a cancel that came before an end wins");
    assert_eq!(stored.result, badly().result, "what was produced is kept");
}

/// The answer to a claim names the tasks in its instance's hands that are asked to end, each until
/// it has ended, and nobody else's.
pub async fn the_owner_learns_of_cancels_with_its_next_claim(h: &Harness) {
    let (owner, other) = (h.join().await, h.join().await);
    let task = owner.running("t").await;
    owner.running("u").await;
    let told = other.commit(vec![cancel(&task.id, 5), Op::Claim(claim(0, 5))]).await;
    assert_eq!(told.cancels, [], "an instance is not told of cancels of others' tasks");
    let asked = [(task.id.clone(), task.epoch)];
    for _ in 0..2 {
        let told = owner.claim(claim(0, 6)).await;
        assert_eq!(told.cancels, asked, "the owner is told of a cancel until the task has ended");
    }
    let end = apply(Transition::cancel(&task, at(7), well()));
    let told = owner.commit(vec![end, Op::Claim(claim(0, 7))]).await;
    assert_eq!(told.cancels, [], "of a task that has ended nothing is told");

    let own = owner.running("v").await;
    let told = owner.commit(vec![Op::Claim(claim(0, 8)), cancel(&own.id, 8)]).await;
    if told.cancels != [(own.id, own.epoch)] {
        broken("a claim tells of the cancels of its own batch");
    }
}
