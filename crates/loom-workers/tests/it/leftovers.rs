//! What a command leaves behind, and what a dead process left of its task.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use loom_core::{Task, TaskContext, Worker, WorkerError, WorkerResult};
use loom_testkit::within;
use loom_workers::TreeMode;
use rustix::process::Signal;

use crate::support::{
    LONG, SHORT, Tee, is_running, marked, pid, run, shell, signal, state, until, worker,
};

#[tokio::test]
async fn a_background_process_that_holds_the_pipe_does_not_hold_up_the_task() {
    let task = shell("sleep 1000 & echo done");
    let result = within(LONG, run(&task)).await.unwrap();
    assert_eq!(result.content, "done\n");
    assert_eq!(marked(&task), [""; 0]);
}

#[tokio::test]
async fn a_background_process_ends_with_its_command() {
    for script in [
        "sleep 1000 >/dev/null 2>&1 & echo $!",
        "setsid sleep 1000 >/dev/null 2>&1 & echo $!",
        "env -i sleep 1000 >/dev/null 2>&1 & echo $!",
        "setsid sh -c 'sleep 1000 & sleep 1000' >/dev/null 2>&1 & echo $!",
    ] {
        let task = shell(script);
        let result = within(LONG, run(&task)).await.unwrap();
        assert!(!is_running(pid(&result.content)), "{script}");
        assert_eq!(marked(&task), [""; 0], "{script}");
    }
}

#[tokio::test]
async fn a_background_process_may_clean_up_first() {
    let script = "sh -c 'trap \"echo bye; exit\" TERM; echo ready >&2; while :; do :; done' 2>&3 & \
                  read ready; exit 0";
    // The leader waits until the trap is set: the line comes back through a pipe of its own.
    let script =
        format!("fifo=$(mktemp -u); mkfifo $fifo; exec 3<>$fifo; rm $fifo; {{ {script}; }} <&3");
    let result = within(LONG, run(&shell(&script))).await.unwrap();
    assert_eq!(result.content, "bye\n");
}

#[tokio::test]
async fn a_background_process_that_does_not_heed_is_killed() {
    let task = shell("trap '' TERM; sleep 1000 & echo $!");
    let worker = worker().grace(SHORT);
    let cx = TaskContext::new();
    let result = within(LONG, worker.execute(&cx, &task)).await.unwrap();
    assert!(!is_running(pid(&result.content)));
}

/// Runs a command in the one mode in which something gets away.
async fn swept(task: &Task) -> Result<WorkerResult, WorkerError> {
    worker().tree(TreeMode::Sweep).execute(&TaskContext::new(), task).await
}

#[tokio::test]
async fn a_pipe_that_is_held_by_somebody_out_of_reach_is_given_up() {
    // Without the mark and out of the group: the one kind that gets away.
    let script = "exec 4>&1; \
                  pid=$(env -i setsid sh -c 'echo $$; exec sleep 1000 >&4 2>&4' &); \
                  echo $pid";
    let result = within(LONG, swept(&shell(script))).await.unwrap();
    let escaped = pid(&result.content);
    assert!(is_running(escaped), "otherwise nothing held the pipe");
    signal(escaped, Signal::KILL);
}

#[tokio::test]
async fn a_pipe_that_somebody_out_of_reach_keeps_filling_is_given_up() {
    let script = "exec 4>&1; \
                  pid=$(env -i setsid sh -c 'echo $$; exec yes >&4 2>&4' &); \
                  echo $pid >&2";
    let result = within(LONG, swept(&shell(script))).await.unwrap();
    let escaped = pid(result.metadata["stderr"].as_str().unwrap());
    if is_running(escaped) {
        signal(escaped, Signal::KILL);
    }
    assert!(result.content.starts_with("y\n"));
}

#[tokio::test]
async fn a_command_that_closes_its_outputs_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let script = "echo $$; exec >&- 2>&-; kill -STOP $$; echo done > ";
    let task = shell(&format!("{script}{}", trace.display()));
    let (tee, cx) = (Tee::new(), TaskContext::new());
    let worker = worker().tee(Arc::clone(&tee) as _);
    let go_on = async {
        let command = tee.pid().await;
        until(|| state(command) == Some('T')).await;
        signal(command, Signal::CONT);
    };
    let run = async { tokio::join!(worker.execute(&cx, &task), go_on) };
    within(LONG, run).await.0.unwrap();
    assert_eq!(fs::read_to_string(trace).unwrap(), "done\n");
}

#[tokio::test]
async fn an_ended_command_leaves_no_zombie() {
    let result = run(&shell("echo $$")).await.unwrap();
    assert_eq!(state(pid(&result.content)), None);
}

/// A process started by hand, as if by one that died. Killed when dropped.
struct Leftover(Child);

impl Leftover {
    fn start(variable: &str, value: &str, script: &str) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", &format!("{script}; echo ready; exec sleep 1000")])
            .env_remove("LOOM_TASK_ID")
            .env(variable, value)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self(child)
    }

    fn status(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn reaping_ends_what_carries_the_mark_of_the_task_and_nothing_else() {
    let task = shell("true");
    let id = task.id.as_str();
    let mut left = Leftover::start("LOOM_TASK_ID", id, ":");
    let mut others = [
        Leftover::start("LOOM_TASK_ID", &format!("{id}0"), ":"),
        Leftover::start("LOOM_TASK_ID", "", ":"),
        Leftover::start("NOT_LOOM_TASK_ID", id, ":"),
        Leftover::start("OTHER", &format!("LOOM_TASK_ID={id}"), ":"),
    ];
    within(LONG, worker().reap(&task)).await.unwrap();
    assert_eq!(left.status().and_then(|status| status.signal()), Some(15));
    for other in &mut others {
        assert_eq!(other.status(), None);
    }
}

#[tokio::test]
async fn reaping_kills_what_does_not_heed() {
    let task = shell("true");
    let mut left = Leftover::start("LOOM_TASK_ID", task.id.as_str(), "trap '' TERM");
    within(LONG, worker().reap(&task)).await.unwrap();
    assert_eq!(left.status().and_then(|status| status.signal()), Some(9));
}

#[tokio::test]
async fn there_need_be_nothing_to_reap() {
    within(LONG, worker().reap(&shell("true"))).await.unwrap();
}
