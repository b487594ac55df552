//! Telling a command to stop.

use std::sync::Arc;
use std::time::Duration;

use loom_core::{
    CancelReason, Cancellation, ErrorKind, FailureCode, Task, TaskContext, Worker, WorkerError,
};
use loom_testkit::within;
use loom_workers::keys;
use rustix::process::Pid;

use crate::support::{LONG, SHORT, Tee, command, is_running, marked, shell, state, until, worker};

/// Runs a script until its first line has come, then tells it to stop.
async fn told(task: &Task, grace: Duration, reason: CancelReason) -> (WorkerError, Pid) {
    let (tee, cancellation) = (Tee::new(), Cancellation::new());
    let worker = worker().tee(Arc::clone(&tee) as _).grace(grace);
    let cx = TaskContext::new().with_cancellation(cancellation.clone());
    let tell = async {
        let pid = tee.pid().await;
        cancellation.cancel(reason);
        pid
    };
    let run = async { tokio::join!(worker.execute(&cx, task), tell) };
    let (end, pid) = within(LONG, run).await;
    (end.unwrap_err(), pid)
}

fn assert_gone(task: &Task, pid: Pid) {
    assert!(!is_running(pid), "{pid} is {:?}", state(pid));
    assert_eq!(marked(task), [""; 0]);
}

#[tokio::test]
async fn a_cancelled_command_ends_at_once_and_keeps_its_output() {
    let task = shell("echo $$; exec sleep 1000");
    let (error, pid) = told(&task, LONG, CancelReason::Requested).await;
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let output = error.output().unwrap();
    assert_eq!(output.content, format!("{pid}\n"));
    assert_eq!(output.metadata[keys::SIGNAL], 15);
    assert_gone(&task, pid);
    assert_eq!(state(pid), None, "no zombie is left");
}

#[tokio::test]
async fn a_command_that_takes_too_long_ends_with_a_timeout() {
    let mut task = shell("echo $$; exec sleep 1000");
    task.timeout = Some(Duration::from_secs(10));
    let (error, pid) = told(&task, LONG, CancelReason::Timeout).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.code(), FailureCode::Timeout);
    assert_eq!(error.message(), "timed out after 10s");
    assert_eq!(error.output().unwrap().content, format!("{pid}\n"));
    assert_gone(&task, pid);
}

#[tokio::test]
async fn shutting_down_and_losing_the_task_stop_a_command_too() {
    for reason in [CancelReason::Shutdown, CancelReason::Lost] {
        let task = shell("echo $$; exec sleep 1000");
        let (error, pid) = told(&task, LONG, reason).await;
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_gone(&task, pid);
    }
}

#[tokio::test]
async fn a_grandchild_ends_with_its_command() {
    let task = shell("sleep 1000 & echo $!; wait");
    let (_, grandchild) = told(&task, LONG, CancelReason::Requested).await;
    assert_gone(&task, grandchild);
}

#[tokio::test]
async fn a_grandchild_that_left_the_group_ends_too() {
    let task = shell("setsid sh -c 'echo $$; exec sleep 1000' & wait");
    let (_, grandchild) = told(&task, LONG, CancelReason::Requested).await;
    assert_gone(&task, grandchild);
}

#[tokio::test]
async fn a_grandchild_without_the_mark_ends_with_its_group() {
    let task = shell("env -i sh -c 'echo $$; exec sleep 1000' & wait");
    let (_, grandchild) = told(&task, LONG, CancelReason::Requested).await;
    assert_gone(&task, grandchild);
}

#[tokio::test]
async fn a_command_may_use_its_grace_to_clean_up() {
    let task = shell("trap 'echo bye; exit 0' TERM; echo $$; while :; do :; done");
    let (error, pid) = told(&task, LONG, CancelReason::Requested).await;
    assert_eq!(error.kind(), ErrorKind::Cancelled, "also if it ends well");
    let output = error.output().unwrap();
    assert_eq!(output.content, format!("{pid}\nbye\n"));
    assert_eq!(output.metadata[keys::EXIT_CODE], 0);
    assert_gone(&task, pid);
}

#[tokio::test]
async fn a_command_that_does_not_heed_is_killed_after_the_grace() {
    let task = shell("trap '' TERM; echo $$; sleep 1000; sleep 1000");
    let (error, pid) = told(&task, SHORT, CancelReason::Requested).await;
    assert_eq!(error.output().unwrap().metadata[keys::SIGNAL], 9);
    assert_gone(&task, pid);
}

#[tokio::test]
async fn a_grandchild_that_does_not_heed_is_killed_after_the_grace() {
    let task = shell("setsid sh -c 'trap \"\" TERM; echo $$; sleep 1000; sleep 1000' & wait");
    let (_, grandchild) = told(&task, SHORT, CancelReason::Requested).await;
    assert_gone(&task, grandchild);
}

#[tokio::test]
async fn a_suspended_command_is_killed_after_the_grace() {
    let task = shell("sh -c 'echo $$; kill -STOP $$' & wait");
    let (_, suspended) = told(&task, SHORT, CancelReason::Requested).await;
    assert_gone(&task, suspended);
}

#[tokio::test]
async fn what_is_started_in_answer_to_the_end_ends_too() {
    let task = shell("trap 'setsid sleep 1000 & exit' TERM; echo $$; while :; do :; done");
    let (_, pid) = told(&task, SHORT, CancelReason::Requested).await;
    assert_gone(&task, pid);
}

#[tokio::test]
async fn a_command_that_multiplies_ends_wholly() {
    let script = "trap '' TERM; echo $$; while :; do setsid sleep 1000 & sleep 0.02; done";
    let task = shell(script);
    let (_, pid) = told(&task, SHORT, CancelReason::Requested).await;
    assert_gone(&task, pid);
}

#[tokio::test]
async fn an_attempt_that_was_told_before_its_start_starts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let cancellation = Cancellation::new();
    cancellation.cancel(CancelReason::Requested);
    let cx = TaskContext::new().with_cancellation(cancellation);
    let task = command(&["touch", trace.to_str().unwrap()]);
    let error = worker().execute(&cx, &task).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(!trace.exists());
}

/// Drops the attempt once the first line has come.
async fn dropped(task: &Task) -> Pid {
    let tee = Tee::new();
    let worker = worker().tee(Arc::clone(&tee) as _);
    let cx = TaskContext::new();
    tokio::select! {
        end = worker.execute(&cx, task) => panic!("ended before it was dropped: {end:?}"),
        pid = within(LONG, tee.pid()) => pid,
    }
}

#[tokio::test]
async fn a_dropped_attempt_leaves_neither_process_nor_zombie() {
    let task = shell("trap '' TERM; echo $$; sleep 1000; sleep 1000");
    let pid = dropped(&task).await;
    within(LONG, until(|| state(pid).is_none())).await;
    within(LONG, until(|| marked(&task).is_empty())).await;
}

#[tokio::test]
async fn a_dropped_attempt_takes_its_grandchildren_with_it() {
    for script in [
        "sh -c 'trap \"\" TERM; echo $$; sleep 1000; sleep 1000' & wait",
        "setsid sh -c 'trap \"\" TERM; echo $$; sleep 1000; sleep 1000' & wait",
    ] {
        let task = shell(script);
        let grandchild = dropped(&task).await;
        within(LONG, until(|| !is_running(grandchild))).await;
        within(LONG, until(|| marked(&task).is_empty())).await;
    }
}

#[tokio::test]
async fn an_end_that_was_seen_before_the_order_to_stop_counts() {
    // The order comes while what was left behind is still in its grace.
    let task = shell("trap '' TERM; echo $$; sleep 1000 & exit 0");
    let (tee, cancellation) = (Tee::new(), Cancellation::new());
    let worker = worker().tee(Arc::clone(&tee) as _).grace(SHORT);
    let cx = TaskContext::new().with_cancellation(cancellation.clone());
    let tell = async {
        let pid = tee.pid().await;
        until(|| !is_running(pid)).await;
        cancellation.cancel(CancelReason::Requested);
    };
    let run = async { tokio::join!(worker.execute(&cx, &task), tell) };
    let (end, ()) = within(LONG, run).await;
    assert_eq!(end.unwrap().metadata[keys::EXIT_CODE], 0);
    assert_eq!(marked(&task), [""; 0]);
}
