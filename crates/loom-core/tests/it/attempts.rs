//! What a task tells of its attempts.

use loom_core::{Attempt, RetryReason, Task, TaskStatus, Transition, limits};

use crate::support::{at, dispatched, me, running, task};

fn ended(result: &str) -> loom_core::Ended {
    loom_core::Ended { result: result.to_owned(), ..Default::default() }
}

fn repeat(task: &mut Task, result: &str) -> Attempt {
    let retry = Transition::retry(task, at(5), at(9), RetryReason::Failed, ended(result));
    task.apply(&retry, &me()).1.unwrap()
}

#[test]
fn a_task_tells_of_the_attempt_that_runs_or_that_ended_it() {
    assert_eq!(Attempt::latest(&task()), None);
    assert_eq!(Attempt::latest(&dispatched()), None);
    let mut task = running();
    let latest = Attempt::latest(&task).unwrap();
    assert_eq!((latest.number, latest.status), (1, TaskStatus::Running));
    assert_eq!((latest.started_at, latest.ended_at), (at(1), None));
    let complete = Transition::complete(&task, at(4), ended("done"));
    task.apply(&complete, &me());
    let latest = Attempt::latest(&task).unwrap();
    assert_eq!((latest.status, latest.ended_at), (TaskStatus::Completed, Some(at(4))));
    assert_eq!(latest.output, "done");
}

#[test]
fn a_repeated_attempt_is_told_once_whatever_becomes_of_the_task() {
    let mut waiting = running();
    let kept = vec![repeat(&mut waiting, "one")];
    assert_eq!(Attempt::history(kept.clone(), &waiting), kept);
    let mut taken = waiting.clone();
    let take = Transition::dispatch(&taken, at(9));
    taken.apply(&take, &me());
    assert_eq!(Attempt::history(kept.clone(), &taken), kept);
    let mut failed = waiting.clone();
    let fail = Transition::fail(&failed, at(9), ended(""));
    failed.apply(&fail, &me());
    assert_eq!(Attempt::history(kept.clone(), &failed), kept);
    waiting.claim(&me(), at(9));
    let numbers: Vec<_> = Attempt::history(kept, &waiting).iter().map(|a| a.number).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn of_a_repeated_attempt_the_first_64_kib_of_output_are_kept() {
    let mut task = running();
    let output = "ü".repeat(limits::ATTEMPT_OUTPUT_BYTES_MAX);
    let kept = repeat(&mut task, &format!("x{output}"));
    assert_eq!(kept.output.len(), limits::ATTEMPT_OUTPUT_BYTES_MAX - 1);
    assert_eq!((kept.number, kept.reason), (1, Some(RetryReason::Failed)));
    assert_eq!((kept.started_at, kept.ended_at), (at(1), Some(at(5))));
}

#[test]
fn waits_for_a_limit_are_the_attempts_that_nothing_else_counts() {
    let mut task = running();
    (task.attempt, task.retries, task.interruptions, task.crashes) = (10, 2, 3, 1);
    assert_eq!(task.parked(), 3);
    assert_eq!(crate::support::task().parked(), 0);
    (task.attempt, task.retries) = (1, u32::MAX);
    assert_eq!(task.parked(), 0);
}
