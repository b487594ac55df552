//! Cases: each change does what the model in `loom-core` does, and nothing else.

use loom_core::{
    Applied, Cancel, InstanceId, Kind, Op, RetryReason, Task, TaskStatus, Transition, table,
};

use super::actor::Actor;
use super::harness::{Harness, broken};
use super::samples::{apply, at, badly, cancel, claim, id, plain, progress, transition, well};

/// Applies `change` to the stored task and to `model`, and compares.
async fn compare(h: &Harness, actor: &Actor, mut model: Task, change: Transition, what: &str) {
    let mut history = h.attempts(&model.id).await;
    let (expected, repeated) = model.apply(&change, actor.id());
    let answer = actor.answer(apply(change)).await;
    assert_eq!(answer, expected, "{what}: the answer is the model's");
    let stored = h.task(&model.id).await;
    if let Some(field) = difference(&stored, &model) {
        broken(&format!("{what} changes exactly what the model changes; it differs in {field}"));
    }
    if let Some(repeated) = repeated {
        history.retain(|attempt| attempt.number != repeated.number);
        history.push(repeated);
        let stored = h.attempts(&model.id).await;
        assert_eq!(stored, history, "{what}: the attempt that is repeated is kept");
    }
}

/// The first field in which two tasks differ.
fn difference(stored: &Task, model: &Task) -> Option<&'static str> {
    let mut probe = model.clone();
    macro_rules! first_of {
        ($($field:ident),+ $(,)?) => {
            $(
                probe.$field.clone_from(&stored.$field);
                if probe != *model {
                    return Some(stringify!($field));
                }
            )+
        };
    }
    first_of!(
        status,
        error,
        failure,
        result,
        metadata,
        attempt,
        retries,
        interruptions,
        crashes,
        epoch,
        instance,
        run_at,
        dispatched_at,
        started_at,
        completed_at,
        cancel_requested_at,
        progress,
    );
    (stored != model).then_some("a field that no change may touch")
}

/// Every row of the table, with and without a recorded cancel.
pub async fn every_row_of_the_table_changes_what_the_model_changes(h: &Harness) {
    let actor = h.join().await;
    for row in table() {
        let what = format!("{:?} of a {} task", row.kind, row.from);
        let task = actor.bring(plain(&what), row.from).await;
        let Some(change) = transition(row.kind, &task, 10) else {
            continue;
        };
        compare(h, &actor, task, change, &what).await;
        if row.from.is_owned() {
            let what = format!("{what} that is asked to end");
            let mut task = actor.bring(plain(&what), row.from).await;
            actor.answer(cancel(&task.id, 5)).await;
            task.cancel(&Cancel { task: task.id.clone(), at: at(5) });
            let Some(change) = transition(row.kind, &task, 10) else {
                continue;
            };
            compare(h, &actor, task, change, &what).await;
        }
    }
}

async fn expect_no_effect(h: &Harness, actor: &Actor, task: &Task, change: Transition, what: &str) {
    let attempts = h.attempts(&task.id).await;
    let answer = actor.answer(apply(change)).await;
    assert_eq!(answer, Applied::Stale, "{what} is stale");
    let stored = h.task(&task.id).await;
    if let Some(field) = difference(&stored, task) {
        broken(&format!("{what} is stale and changes nothing; it changed {field}"));
    }
    assert_eq!(h.attempts(&task.id).await, attempts, "{what} adds no attempt");
}

/// Every kind of change from every status that the table does not let it leave.
pub async fn what_the_table_does_not_allow_is_stale_and_changes_nothing(h: &Harness) {
    let actor = h.join().await;
    for status in TaskStatus::ALL {
        let task = actor.bring(plain(status.as_str()), status).await;
        for kind in Kind::ALL.into_iter().filter(|kind| kind.from(status).is_none()) {
            let Some(change) = transition(kind, &task, 10) else {
                continue;
            };
            let what = format!("{kind:?} of a {status} task");
            expect_no_effect(h, &actor, &task, change, &what).await;
        }
    }
}

/// A change that was made for another claim than the present one, also by the very owner.
pub async fn a_change_of_an_older_claim_is_stale(h: &Harness) {
    let (actor, other) = (h.join().await, h.join().await);
    for row in table() {
        let what = format!("{:?} of a {} task", row.kind, row.from);
        let task = actor.bring(plain(&what), row.from).await;
        let Some(mut change) = transition(row.kind, &task, 10) else {
            continue;
        };
        let what = format!("{what} under another epoch");
        change.epoch = task.epoch + 1;
        expect_no_effect(h, &actor, &task, change.clone(), &what).await;
        if let Some(older) = task.epoch.checked_sub(1) {
            change.epoch = older;
            expect_no_effect(h, &actor, &task, change, &what).await;
        }
    }
    // The real thing: an owner that lost its task reports late.
    let lost = actor.running("lost").await;
    actor.change(Transition::rerun(&lost, at(5), badly())).await;
    let taken = other.take(claim(100, 6)).await;
    assert!(taken.contains(&lost.id), "a task to be re-run is claimed by another instance");
    let now = h.task(&lost.id).await;
    let late = Transition::complete(&lost, at(7), well());
    expect_no_effect(h, &actor, &now, late, "the late report of an old owner").await;
}

/// A change of a task that is not there is answered and leaves nothing.
pub async fn a_change_of_an_unknown_task_changes_nothing(h: &Harness) {
    let actor = h.join().await;
    let mut task = actor.running("t").await;
    let mut report = progress(&task, "line", 1, 5);
    task.id = id("unknown");
    report.task = id("unknown");
    let end = apply(Transition::complete(&task, at(5), well()));
    for answer in actor.commit(vec![end, Op::Progress(report)]).await.applied {
        let without_effect = matches!(answer, Applied::Stale | Applied::NotFound);
        assert!(without_effect, "a change of an unknown task is without effect: {answer:?}");
    }
    assert!(h.find(&id("unknown")).await.is_none(), "a change of an unknown task adds none");
}

/// When the wall clock steps back, the times of a task do not.
pub async fn time_never_runs_backwards_within_a_task(h: &Harness) {
    let actor = h.join().await;
    for kind in [Kind::Complete, Kind::Retry, Kind::Crash, Kind::Cancel] {
        let name = format!("{kind:?}");
        actor.insert(plain(&name)).await;
        let mut task = h.task(&id(&name)).await;
        for step in [Kind::Dispatch, Kind::Start, kind] {
            let Some(change) = transition(step, &task, -500) else {
                continue;
            };
            compare(h, &actor, task, change, &format!("{step:?} before its task was made")).await;
            task = h.task(&id(&name)).await;
        }
        let times = [Some(task.created_at), task.dispatched_at, task.started_at, task.completed_at];
        let times: Vec<_> = times.into_iter().flatten().collect();
        assert!(times.is_sorted(), "the times of a task are in order: {times:?}");
    }
    let waiting = actor.bring(plain("waiting"), TaskStatus::Pending).await;
    actor.answer(cancel(&waiting.id, -500)).await;
    let ended = h.task(&waiting.id).await.completed_at;
    assert_eq!(ended, Some(at(0)), "a task does not end before it was made");
}

/// Each reason for another attempt has its own count; waiting for a limit has none.
pub async fn retries_are_counted_by_their_reason(h: &Harness) {
    let actor = h.join().await;
    for (reason, expected) in [
        (RetryReason::Failed, (1, 0, 0)),
        (RetryReason::Rejected, (1, 0, 0)),
        (RetryReason::Parked, (0, 0, 0)),
        (RetryReason::Interrupted, (0, 1, 0)),
        (RetryReason::Crash, (0, 0, 1)),
    ] {
        let task = actor.running(reason.as_str()).await;
        let retry = Transition::retry(&task, at(5), at(60), reason, badly());
        let task = actor.change(retry).await;
        let counts = (task.retries, task.interruptions, task.crashes);
        assert_eq!(counts, expected, "retries, interruptions and crashes after {reason}");
        assert_eq!(task.run_at, Some(at(60)), "the due time of a retry is stored");
        let kept = h.attempts(&task.id).await;
        let kept: Vec<_> = kept.iter().map(|attempt| attempt.reason).collect();
        assert_eq!(kept, [Some(reason)], "the reason for another attempt is stored");
    }
}

/// Reports add up; a blank line keeps the one before.
pub async fn progress_is_added_up_and_keeps_the_last_line(h: &Harness) {
    let actor = h.join().await;
    let mut task = actor.running("t").await;
    for (line, lines, seconds) in [("one", 3, 4), ("", 2, 5), ("two", 1, 6)] {
        let report = progress(&task, line, lines, seconds);
        let answer = actor.answer(Op::Progress(report.clone())).await;
        assert_eq!(answer, Applied::Reported, "the progress of a running attempt is recorded");
        task.report(&report);
        let stored = h.task(&task.id).await;
        assert_eq!(stored.progress, task.progress, "progress is added up");
    }
    let both = [progress(&task, "three", 1, 7), progress(&task, "four", 1, 8)];
    actor.commit(both.map(Op::Progress).to_vec()).await;
    let stored = h.task(&task.id).await.progress;
    let found = (stored.line.as_str(), stored.lines, stored.at);
    assert_eq!(found, ("four", 8, Some(at(8))), "reports in one batch are added up in order");
}

/// Only the attempt that runs can report.
pub async fn progress_of_an_older_claim_is_stale(h: &Harness) {
    let actor = h.join().await;
    let running = actor.running("running").await;
    let mut older = progress(&running, "late", 1, 5);
    older.epoch -= 1;
    let mut reports = vec![(running, older)];
    for status in TaskStatus::ALL {
        if status != TaskStatus::Running {
            let task = actor.bring(plain(status.as_str()), status).await;
            let report = progress(&task, "late", 1, 5);
            reports.push((task, report));
        }
    }
    for (task, report) in reports {
        let answer = actor.answer(Op::Progress(report)).await;
        assert_eq!(answer, Applied::Stale, "only the running attempt reports ({})", task.id);
        assert_eq!(h.task(&task.id).await, task, "a stale report changes nothing");
    }
}

/// `completed_at` is set exactly if the task has ended, the error exactly if it failed.
pub async fn only_ended_tasks_have_an_end_and_only_failed_ones_an_error(h: &Harness) {
    let actor = h.join().await;
    for status in TaskStatus::ALL {
        let task = actor.bring(plain(status.as_str()), status).await;
        let failed = matches!(status, TaskStatus::Failed | TaskStatus::FailedCrash);
        assert_eq!(task.status, status, "a task can be brought to {status}");
        let ended = task.completed_at.is_some();
        assert_eq!(ended, status.is_terminal(), "completed_at is set iff ended ({status})");
        assert_eq!(task.error.is_some(), failed, "the error is set iff failed ({status})");
        assert_eq!(task.failure.is_some(), failed, "the code is set iff failed ({status})");
        assert_eq!(task.run_at.is_some(), status.is_waiting(), "run_at while waiting ({status})");
        let owner: Option<&InstanceId> = task.instance.as_ref();
        let expected = status.is_owned().then_some(actor.id());
        assert_eq!(owner, expected, "a task has an owner while it is in hand ({status})");
    }
}
