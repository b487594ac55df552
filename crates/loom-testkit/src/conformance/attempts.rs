//! Cases: earlier attempts stay readable.

use loom_core::{Op, RetryReason, Task, TaskStatus, Transition, limits};

use super::actor::Actor;
use super::harness::{Harness, broken};
use super::samples::{apply, at, badly, cancel, claim, plain, well};

/// Ends the attempt that runs and claims the task again, in one batch.
async fn repeat(actor: &Actor, task: &Task, result: &str, seconds: i64) -> Task {
    let mut ended = badly();
    ended.result = result.to_owned();
    let now = at(seconds);
    let retry = Transition::retry(task, now, now, RetryReason::Failed, ended);
    let ops = vec![apply(retry), Op::Claim(claim(1, seconds))];
    match actor.commit(ops).await.claimed.pop() {
        Some(task) => task,
        None => broken("a task whose retry is due is claimed by the batch that retried it"),
    }
}

/// The attempts at a task come in order, the latest last, each with what it left.
pub async fn earlier_attempts_stay_readable_in_order(h: &Harness) {
    let actor = h.join().await;
    let first = actor.running("t").await;
    let second = repeat(&actor, &first, "one", 10).await;
    let third = repeat(&actor, &second, "two", 20).await;
    actor.change(Transition::complete(&third, at(30), well())).await;

    let attempts = h.attempts(&third.id).await;
    let outputs: Vec<_> = attempts.iter().map(|a| (a.number, a.output.as_str())).collect();
    assert_eq!(
        outputs,
        [(1, "one"), (2, "two"), (3, "done")],
        "attempts are listed in order with what each produced"
    );
    let statuses: Vec<_> = attempts.iter().map(|a| a.status).collect();
    let expected = [TaskStatus::Retrying, TaskStatus::Retrying, TaskStatus::Completed];
    assert_eq!(statuses, expected, "an attempt tells how it ended");
    let ends: Vec<_> = attempts.iter().map(|a| (a.started_at, a.ended_at)).collect();
    let expected = [(at(2), Some(at(10))), (at(10), Some(at(20))), (at(20), Some(at(30)))];
    assert_eq!(ends, expected, "an attempt tells when it started and ended");
    for earlier in attempts.iter().take(2) {
        assert_eq!(earlier.reason, Some(RetryReason::Failed), "it tells why another followed");
        assert_eq!(earlier.error.as_deref(), Some("it broke"), "it keeps its error");
        assert_eq!(earlier.failure, badly().failure, "it keeps its failure code");
    }
}

/// Of more than a hundred repeated attempts the latest hundred are kept, and the one that runs.
pub async fn a_hundred_attempts_are_kept(h: &Harness) {
    let actor = h.join().await;
    let mut task = actor.running("t").await;
    let repeated = limits::ATTEMPTS_KEPT_MAX + 3;
    for number in 1..=repeated {
        task = repeat(&actor, &task, &format!("output {number}"), 10 + i64::from(number)).await;
    }
    let numbers: Vec<u32> = h.attempts(&task.id).await.iter().map(|a| a.number).collect();
    let expected: Vec<u32> = (4..=repeated + 1).collect();
    assert_eq!(numbers, expected, "the latest hundred repeated attempts and the running one stay");
}

/// A task that is taken or ends while it waits for its next attempt lists the one before once.
pub async fn an_attempt_is_listed_once(h: &Harness) {
    let actor = h.join().await;
    for (name, status) in [
        ("waiting", TaskStatus::Retrying),
        ("taken", TaskStatus::Dispatched),
        ("failed", TaskStatus::Failed),
        ("cancelled", TaskStatus::Cancelled),
    ] {
        let task = actor.bring(plain(name), TaskStatus::Retrying).await;
        match status {
            TaskStatus::Dispatched => {
                actor.change(Transition::dispatch(&task, at(40))).await;
            }
            TaskStatus::Failed => {
                actor.change(Transition::fail(&task, at(40), badly())).await;
            }
            TaskStatus::Cancelled => {
                actor.answer(cancel(&task.id, 40)).await;
            }
            _ => {}
        }
        let attempts = h.attempts(&task.id).await;
        let listed: Vec<_> = attempts.iter().map(|a| (a.number, a.status)).collect();
        assert_eq!(
            listed,
            [(1, TaskStatus::Retrying)],
            "a task that is {name} after its first attempt lists that attempt once, as it ended"
        );
    }
}

/// A task that was never started has no attempts, whatever became of it; an unknown one neither.
pub async fn a_task_that_never_ran_has_no_attempts(h: &Harness) {
    let actor = h.join().await;
    let unknown = super::samples::id("unknown");
    assert_eq!(h.attempts(&unknown).await, [], "an unknown task has no attempts");
    let pending = actor.bring(plain("pending"), TaskStatus::Pending).await;
    assert_eq!(h.attempts(&pending.id).await, [], "a pending task has no attempts");
    actor.answer(cancel(&pending.id, 5)).await;
    assert_eq!(h.attempts(&pending.id).await, [], "cancelled before it ran, it has none either");
    let dispatched = actor.bring(plain("dispatched"), TaskStatus::Dispatched).await;
    assert_eq!(h.attempts(&dispatched.id).await, [], "a dispatched task has no attempts");
}

/// Of the output of an earlier attempt the first 64 KiB are kept, cut between two characters.
pub async fn a_long_output_of_an_earlier_attempt_is_cut(h: &Harness) {
    let actor = h.join().await;
    let task = actor.running("t").await;
    let output = format!("x{}", "ü".repeat(limits::ATTEMPT_OUTPUT_BYTES_MAX));
    repeat(&actor, &task, &output, 10).await;
    let kept = h.attempts(&task.id).await;
    let kept = kept.first().map(|attempt| attempt.output.as_str());
    let expected = loom_core::first_bytes(&output, limits::ATTEMPT_OUTPUT_BYTES_MAX);
    assert!(kept == Some(expected), "the first 64 KiB of an earlier output are kept");
}
