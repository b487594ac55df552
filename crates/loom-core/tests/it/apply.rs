//! What changes do to a task, one by one and in any order.

use loom_core::{
    Applied, Cancel, Ended, FailureCode, InstanceId, Kind, Metadata, ProgressReport, RetryReason,
    Task, TaskStatus, Transition, Unreadable,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{at, dispatched, me, running, task};

fn badly() -> Ended {
    let mut metadata = Metadata::new();
    metadata.insert("exit_code".to_owned(), 7.into());
    Ended {
        result: "half of it".to_owned(),
        error: Some("it broke".to_owned()),
        failure: Some(FailureCode::ExitStatus),
        metadata: Some(metadata),
    }
}

fn change(kind: Kind, task: &Task, seconds: i64, reason: RetryReason) -> Option<Transition> {
    let now = at(seconds);
    Some(match kind {
        Kind::Dispatch => Transition::dispatch(task, now),
        Kind::Start => Transition::start(task, now),
        Kind::Complete => Transition::complete(task, now, badly()),
        Kind::Retry => Transition::retry(task, now, at(seconds + 30), reason, badly()),
        Kind::Fail => Transition::fail(task, now, badly()),
        Kind::Crash => Transition::crash(task, now, badly()),
        Kind::Abandon => Transition::abandon(task, now, badly()),
        Kind::Cancel => Transition::cancel(task, now, badly()),
        _ => return None,
    })
}

fn cancel_at(seconds: i64) -> Cancel {
    Cancel { task: task().id, at: at(seconds) }
}

#[test]
fn a_claim_hands_the_task_over_and_starts_it() {
    let task = running();
    assert_eq!((task.status, task.instance), (TaskStatus::Running, Some(me())));
    assert_eq!((task.attempt, task.epoch, task.run_at), (1, 1, None));
    assert_eq!((task.dispatched_at, task.started_at), (Some(at(1)), Some(at(1))));
}

#[test]
fn dispatch_and_start_do_in_two_steps_what_a_claim_does_in_one() {
    let mut task = dispatched();
    assert_eq!((task.epoch, task.attempt, task.started_at), (1, 0, None));
    let start = Transition::start(&task, at(1));
    let (applied, repeated) = task.apply(&start, &me());
    let (from, to) = (TaskStatus::Dispatched, TaskStatus::Running);
    assert_eq!((applied, repeated), (Applied::Changed { from, to }, None));
    assert_eq!(task, running());
}

#[test]
fn a_completed_task_keeps_its_result_and_no_error() {
    let mut task = running();
    let complete = Transition::complete(&task, at(5), badly());
    task.apply(&complete, &me());
    assert_eq!((task.status, task.completed_at), (TaskStatus::Completed, Some(at(5))));
    assert_eq!((task.result.as_str(), task.error, task.failure), ("half of it", None, None));
    assert_eq!((task.instance, task.run_at), (None, None));
    assert_eq!(task.metadata.get("exit_code"), Some(&7.into()));
}

#[test]
fn a_failed_task_keeps_everything() {
    for (kind, status) in [(Kind::Fail, TaskStatus::Failed), (Kind::Crash, TaskStatus::FailedCrash)]
    {
        let mut task = running();
        let end = change(kind, &task, 5, RetryReason::Failed).unwrap();
        task.apply(&end, &me());
        assert_eq!((task.status, task.completed_at), (status, Some(at(5))));
        assert_eq!((task.result.as_str(), task.error.as_deref()), ("half of it", Some("it broke")));
        assert_eq!(task.failure, Some(FailureCode::ExitStatus));
    }
}

#[test]
fn a_retry_waits_for_its_time_and_hands_back_what_is_to_be_kept() {
    let mut task = running();
    let retry = Transition::retry(&task, at(5), at(60), RetryReason::Rejected, badly());
    let (_, kept) = task.apply(&retry, &me());
    assert_eq!(
        (task.status, task.run_at, task.instance),
        (TaskStatus::Retrying, Some(at(60)), None)
    );
    assert_eq!((task.result.as_str(), &task.error, task.completed_at), ("", &None, None));
    assert_eq!((task.retries, task.attempt, task.epoch), (1, 1, 1));
    let kept = kept.unwrap();
    assert_eq!((kept.number, kept.status), (1, TaskStatus::Retrying));
    assert_eq!((kept.output.as_str(), kept.error.as_deref()), ("half of it", Some("it broke")));
}

#[test]
fn a_retry_is_never_due_before_it_was_asked_for() {
    let mut task = running();
    let retry = Transition::retry(&task, at(50), at(3), RetryReason::Failed, badly());
    task.apply(&retry, &me());
    assert_eq!(task.run_at, Some(at(50)));
}

#[test]
fn giving_back_and_running_again_are_counted_apart_and_due_now() {
    let mut task = running();
    let release = Transition::release(&task, at(5), badly());
    task.apply(&release, &me());
    assert_eq!((task.interruptions, task.retries, task.run_at), (1, 0, Some(at(5))));
    task.claim(&me(), at(6));
    let rerun = Transition::rerun(&task, at(7), badly());
    task.apply(&rerun, &me());
    assert_eq!((task.crashes, task.retries, task.run_at), (1, 0, Some(at(7))));
    assert_eq!(task.dispatched_at, Some(at(1)), "the first time stays");
}

#[test]
fn a_claim_is_no_change_that_can_be_applied() {
    let mut task = task();
    let mut claim = Transition::dispatch(&task, at(1));
    claim.kind = Kind::Claim;
    assert!(!task.admits(&claim));
    assert_eq!(task.apply(&claim, &me()), (Applied::Stale, None));
    assert_eq!(task, crate::support::task());
}

#[test]
fn a_change_for_another_task_or_claim_is_stale() {
    let mut task = running();
    let before = task.clone();
    let good = Transition::complete(&task, at(5), badly());
    let mut other = good.clone();
    other.task = loom_core::TaskId::new("id-1").unwrap();
    let (mut late, mut early) = (good.clone(), good.clone());
    late.epoch -= 1;
    early.epoch += 1;
    for change in [other, late, early] {
        assert!(!task.admits(&change));
        assert_eq!(task.apply(&change, &me()), (Applied::Stale, None));
    }
    assert_eq!(task, before);
    assert!(task.admits(&good));
}

#[test]
fn a_waiting_task_is_cancelled_at_once_and_a_running_one_asked() {
    let mut waiting = task();
    let answer = waiting.cancel(&cancel_at(5));
    assert_eq!(answer, Applied::Cancelled(Box::new(waiting.summary())));
    assert_eq!((waiting.status, waiting.completed_at), (TaskStatus::Cancelled, Some(at(5))));
    assert_eq!(waiting.cancel(&cancel_at(6)), Applied::Ended(TaskStatus::Cancelled));

    for mut owned in [dispatched(), running()] {
        let before = owned.status;
        assert_eq!(owned.cancel(&cancel_at(5)), Applied::CancelRequested);
        assert_eq!(owned.cancel(&cancel_at(9)), Applied::CancelRequested);
        assert_eq!((owned.status, owned.cancel_requested_at), (before, Some(at(5))));
    }
}

#[test]
fn a_recorded_cancel_turns_every_change_into_the_end() {
    for kind in [Kind::Complete, Kind::Retry, Kind::Fail, Kind::Crash, Kind::Cancel] {
        let mut task = running();
        task.cancel(&cancel_at(5));
        let end = change(kind, &task, 9, RetryReason::Failed).unwrap();
        let (applied, kept) = task.apply(&end, &me());
        let (from, to) = (TaskStatus::Running, TaskStatus::Cancelled);
        assert_eq!((applied, kept), (Applied::Changed { from, to }, None), "{kind:?}");
        assert_eq!((task.result.as_str(), &task.error), ("half of it", &None), "{kind:?}");
        assert_eq!(task.retries, 0, "{kind:?}");
    }
    let mut task = dispatched();
    task.cancel(&cancel_at(5));
    let start = Transition::start(&task, at(9));
    task.apply(&start, &me());
    assert_eq!((task.status, task.attempt), (TaskStatus::Cancelled, 0), "it does not start");
}

#[test]
fn only_the_running_attempt_reports_progress() {
    let report = |task: &Task, line: &str| ProgressReport {
        task: task.id.clone(),
        epoch: task.epoch,
        line: line.to_owned(),
        lines: 2,
        at: at(5),
    };
    let mut task = running();
    assert!(task.progress.is_none());
    assert_eq!(task.report(&report(&task.clone(), "one")), Applied::Reported);
    assert_eq!(task.report(&report(&task.clone(), " \t")), Applied::Reported);
    let progress = (task.progress.line.as_str(), task.progress.lines, task.progress.at);
    assert_eq!(progress, ("one", 4, Some(at(5))), "a blank line keeps the one before");
    let late = ProgressReport { epoch: 0, ..report(&task, "late") };
    assert_eq!(task.report(&late), Applied::Stale);
    let mut waiting = dispatched();
    assert_eq!(waiting.report(&report(&waiting.clone(), "early")), Applied::Stale);
    assert_eq!(waiting.progress.lines, 0);
}

#[test]
fn of_a_text_the_last_line_that_says_something_is_reported_and_all_are_counted() {
    let long = "ü".repeat(80);
    for (text, line, lines) in [
        ("one", "one", 1),
        ("one\ntwo\n", "two", 2),
        ("one\n \t\n\n", "one", 3),
        ("", "", 1),
        (" \n", "", 1),
        (&long, &long[..100], 1),
    ] {
        let report = ProgressReport::of(&running(), text, at(5));
        assert_eq!((report.line.as_str(), report.lines), (line, lines), "{text:?}");
        assert_eq!((report.task, report.epoch, report.at), (running().id, 1, at(5)));
    }
}

#[test]
fn a_claimed_task_that_cannot_be_read_is_failed_under_its_claim() {
    let mut task = running();
    let why = "its status is unknown".to_owned();
    let found = Unreadable { task: task.id.clone(), seq: task.seq, epoch: task.epoch, why };
    task.apply(&Transition::unreadable(&found, at(5)), &me());
    assert_eq!((task.status, task.failure), (TaskStatus::Failed, Some(FailureCode::Store)));
    assert!(task.error.is_some_and(|error| error.contains("its status is unknown")));
}

/// Something that happens to a task.
#[derive(Clone, Debug)]
enum Event {
    Change(Kind, RetryReason, bool),
    Claim,
    Cancel,
    Report,
}

fn events() -> impl Strategy<Value = (Event, i64)> {
    let kinds = select(Kind::ALL.to_vec());
    let event = prop_oneof![
        6 => (kinds, select(RetryReason::ALL.to_vec()), prop::bool::weighted(0.1))
            .prop_map(|(kind, reason, stale)| Event::Change(kind, reason, stale)),
        4 => Just(Event::Claim),
        1 => Just(Event::Cancel),
        2 => Just(Event::Report),
    ];
    // Times come in any order, as a wall clock may tell them.
    (event, -100..1000_i64)
}

/// Lets `event` happen; whether it was refused.
fn happen(task: &mut Task, event: &Event, seconds: i64, by: &InstanceId) -> bool {
    match event {
        Event::Change(kind, reason, stale) => {
            let Some(mut change) = change(*kind, task, seconds, *reason) else {
                return true;
            };
            change.epoch += u64::from(*stale);
            task.apply(&change, by).0 == Applied::Stale
        }
        Event::Claim if task.status.is_waiting() => {
            task.claim(by, at(seconds));
            false
        }
        Event::Claim => true,
        Event::Cancel => matches!(task.cancel(&cancel_at(seconds)), Applied::Ended(_)),
        Event::Report => {
            let report = ProgressReport {
                task: task.id.clone(),
                epoch: task.epoch,
                line: "line".to_owned(),
                lines: 1,
                at: at(seconds),
            };
            task.report(&report) == Applied::Stale
        }
    }
}

fn sound(task: &Task) -> Result<(), TestCaseError> {
    let failed = matches!(task.status, TaskStatus::Failed | TaskStatus::FailedCrash);
    prop_assert_eq!(task.completed_at.is_some(), task.status.is_terminal());
    prop_assert_eq!(task.error.is_some(), failed);
    prop_assert_eq!(task.failure.is_some(), failed);
    prop_assert_eq!(task.run_at.is_some(), task.status.is_waiting());
    prop_assert_eq!(task.instance.is_some(), task.status.is_owned());
    let times = [Some(task.created_at), task.dispatched_at, task.started_at, task.completed_at];
    let times: Vec<_> = times.into_iter().flatten().collect();
    prop_assert!(times.is_sorted(), "{:?}", times);
    let repeated = task.retries + task.interruptions + task.crashes + task.parked();
    prop_assert!(task.attempt >= repeated, "only what was started is repeated");
    Ok(())
}

proptest! {
    #[test]
    fn whatever_happens_a_task_stays_sound(happenings in prop::collection::vec(events(), 0..40)) {
        let mut task = task();
        for (event, seconds) in happenings {
            let before = task.clone();
            let refused = happen(&mut task, &event, seconds, &me());
            sound(&task)?;
            if refused {
                prop_assert_eq!(&task, &before, "what is refused changes nothing");
            }
            prop_assert!(task.epoch >= before.epoch);
            prop_assert!(task.attempt >= before.attempt && task.retries >= before.retries);
            prop_assert!(task.started_at >= before.started_at);
            if before.status.is_terminal() {
                prop_assert_eq!(&task, &before, "an ended task does not change");
            }
            if task.status.is_owned() && before.status.is_waiting() {
                prop_assert!(task.epoch > before.epoch, "every claim has a fresh epoch");
            }
            if task.status != before.status {
                let path = [before.status, TaskStatus::Dispatched, task.status];
                let steps = path.windows(2).all(|step| step[0].can_transition_to(step[1]));
                prop_assert!(before.status.can_transition_to(task.status) || steps);
            }
        }
    }
}
