//! Commands that cannot be started.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use loom_core::{ErrorKind, FailureCode, Task, TaskContext, Worker, WorkerError};
use loom_workers::{Command, Stdin, SubprocessBase, command_request, keys};

use crate::support::{command, run, shell, task};

/// Runs a command that cannot be started, and checks what all such have in common.
async fn refused(command: Command) -> WorkerError {
    let worker = SubprocessBase::new(move |_: &Task| Ok(command.clone()));
    let end = worker.execute(&TaskContext::new(), &shell("true")).await;
    not_started(end.unwrap_err())
}

fn not_started(error: WorkerError) -> WorkerError {
    assert_eq!(error.kind(), ErrorKind::Permanent);
    assert_eq!(error.code(), FailureCode::SpawnFailed);
    error
}

fn word(error: &WorkerError) -> &str {
    error.output().unwrap().metadata[keys::SPAWN_ERROR].as_str().unwrap()
}

fn script(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_not_found() {
    for program in ["no-such-program-anywhere", "/no/such/program"] {
        let error = refused(Command::new(program)).await;
        assert_eq!(word(&error), "not_found");
        assert!(error.message().contains(program), "{error}");
        assert!(error.source().is_some());
    }
}

#[tokio::test]
async fn a_file_that_is_not_executable_cannot_be_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tool");
    script(&path, "#!/bin/sh\n", 0o644);
    let error = refused(Command::new(&path)).await;
    assert_eq!(word(&error), "cannot_run");
    assert!(error.message().contains("tool"), "{error}");
    assert!(error.message().contains("ermission denied"), "{error}");
}

#[tokio::test]
async fn a_script_without_its_interpreter_cannot_be_run() {
    let dir = tempfile::tempdir().unwrap();
    script(&dir.path().join("tool"), "#!/no/such/interpreter\n", 0o755);
    let error = refused(Command::new("./tool").cwd(dir.path())).await;
    assert_eq!(word(&error), "cannot_run");
}

#[tokio::test]
async fn a_directory_that_is_missing_or_a_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for cwd in [dir.path().join("missing"), file] {
        let error = refused(Command::new("true").cwd(&cwd)).await;
        assert_eq!(word(&error), "cannot_run");
        assert!(error.message().contains(cwd.to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn a_command_works_in_the_directory_of_its_task() {
    let dir = tempfile::tempdir().unwrap();
    let dir = fs::canonicalize(dir.path()).unwrap();
    let dir = dir.to_str().unwrap();
    let task = task(command_request("command", ["pwd"]).cwd(dir));
    assert_eq!(run(&task).await.unwrap().content.trim_end(), dir);
}

#[tokio::test]
async fn nul_is_refused_in_every_part() {
    let commands = [
        Command::new("ec\0ho"),
        Command::new("echo").arg("a\0b"),
        Command::new("echo").cwd("/tmp\0"),
        Command::new("echo").env("NAME", "a\0b"),
    ];
    for command in commands {
        let error = refused(command).await;
        assert!(error.message().contains("NUL"), "{error}");
    }
}

#[tokio::test]
async fn names_that_no_variable_can_have_are_refused() {
    for name in ["", "A=B", "A\0"] {
        let error = refused(Command::new("true").env(name, "x")).await;
        assert!(error.message().contains("name of a variable"), "{error}");
    }
}

#[tokio::test]
async fn an_empty_program_is_refused() {
    let error = refused(Command::new("")).await;
    assert!(error.message().contains("no program"), "{error}");
}

#[tokio::test]
async fn more_than_the_system_takes_is_refused() {
    let error = refused(Command::new("true").arg("x".repeat(4 << 20))).await;
    assert_eq!(word(&error), "cannot_run");
    assert!(error.message().contains("too long"), "{error}");
}

#[tokio::test]
async fn an_input_file_that_is_missing_is_named() {
    let error = refused(Command::new("cat").stdin(Stdin::file("/no/such/input"))).await;
    assert_eq!(word(&error), "cannot_run");
    assert!(error.message().contains("/no/such/input"), "{error}");
}

#[tokio::test]
async fn a_task_without_a_command_says_what_is_missing() {
    let mut wrong = command(&["true"]);
    wrong.metadata.insert(keys::ARGV.into(), "true".into());
    let mut mixed = command(&["true"]);
    mixed.metadata.insert(keys::ARGV.into(), serde_json::json!(["sleep", 1]));
    for task in [command(&[]), wrong, mixed] {
        let error = not_started(run(&task).await.unwrap_err());
        assert!(error.message().contains("argv"), "{error}");
    }
}
