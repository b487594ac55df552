//! What a command finds in its environment.

use std::collections::BTreeMap;
use std::env;

use loom_core::{EnvValue, ErrorKind, FailureCode, Task, TaskContext, TaskRequest, Worker};
use loom_workers::{Command, Inherit, SubprocessBase};

use crate::support::task;

/// What `env`, run as `command` for a task as asked for, finds.
async fn found(command: Command, request: TaskRequest) -> BTreeMap<String, String> {
    let task = task(request);
    let worker = SubprocessBase::new(move |_: &Task| Ok(command.clone()));
    let cx = TaskContext::new().with_attempt(3);
    let result = worker.execute(&cx, &task).await.unwrap();
    let entries = result.content.lines().filter_map(|line| line.split_once('='));
    let found: BTreeMap<_, _> =
        entries.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(found["LOOM_TASK_ID"], task.id.as_str());
    assert_eq!(found["LOOM_ATTEMPT"], "3");
    found
}

fn request() -> TaskRequest {
    TaskRequest::new("env", "")
}

#[tokio::test]
async fn everything_of_the_host_is_taken_over_by_default() {
    let found = found(Command::new("env"), request()).await;
    for (name, value) in env::vars().filter(|(_, value)| !value.contains('\n')) {
        if !name.starts_with("LOOM_") {
            assert_eq!(found.get(&name), Some(&value), "{name}");
        }
    }
}

#[tokio::test]
async fn the_trace_of_the_attempt_is_handed_on() {
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let task = task(request());
    let worker =
        SubprocessBase::new(|_: &Task| Ok(Command::new("sh").args(["-c", "echo $TRACEPARENT"])));
    let cx = TaskContext::new().with_trace_context(Some(traceparent));
    let result = worker.execute(&cx, &task).await.unwrap();
    assert_eq!(result.content.trim_end(), traceparent);
}

#[tokio::test]
async fn only_what_is_on_the_list_is_taken_over() {
    let command = Command::new("env").inherit(Inherit::only(["PATH", "NOT_SET_ANYWHERE"]));
    let found = found(command, request().env("ADDED", "x")).await;
    let names: Vec<_> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["ADDED", "LOOM_ATTEMPT", "LOOM_RUN", "LOOM_TASK_ID", "PATH"]);
    assert_eq!(found["PATH"], env::var("PATH").unwrap());
}

#[tokio::test]
async fn the_tasks_variables_win_over_the_commands_and_those_over_the_hosts() {
    let command = Command::new("/usr/bin/env").env("HOME", "/command").env("LANG", "command");
    let found = found(command, request().env("LANG", "task")).await;
    assert_eq!(found["HOME"], "/command");
    assert_eq!(found["LANG"], "task");
}

#[tokio::test]
async fn a_variable_of_the_host_is_looked_up_at_the_start() {
    let found =
        found(Command::new("env"), request().env("SEARCHED", EnvValue::from_host("PATH"))).await;
    assert_eq!(found["SEARCHED"], env::var("PATH").unwrap());
}

#[tokio::test]
async fn no_task_passes_for_another() {
    let forged = request().env("LOOM_TASK_ID", "forged").env("LOOM_RUN", "forged");
    let found = found(Command::new("env"), forged).await;
    assert_ne!(found["LOOM_RUN"], "forged");
}

async fn refused(request: TaskRequest) -> String {
    let worker = SubprocessBase::new(|_: &Task| Ok(Command::new("env")));
    let end = worker.execute(&TaskContext::new(), &task(request)).await;
    let error = end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permanent);
    assert_eq!(error.code(), FailureCode::SpawnFailed);
    error.message().to_owned()
}

#[tokio::test]
async fn a_variable_that_the_host_does_not_have_is_named() {
    let message = refused(request().env("KEY", EnvValue::from_host("NOT_SET_ANYWHERE"))).await;
    assert!(message.contains("KEY") && message.contains("NOT_SET_ANYWHERE"), "{message}");
}

#[tokio::test]
async fn a_task_cannot_choose_code_to_load() {
    for name in ["LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES"] {
        let message = refused(request().env(name, "canary")).await;
        assert!(message.contains(name) && !message.contains("canary"), "{message}");
    }
}

#[tokio::test]
async fn a_worker_may_choose_code_to_load() {
    let command = Command::new("env").env("LD_LIBRARY_PATH", "/nowhere");
    let found = found(command, request()).await;
    assert_eq!(found["LD_LIBRARY_PATH"], "/nowhere");
}
