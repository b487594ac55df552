//! `loom run`, and what it tells of a command's end.

use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use crate::home::{Ended, Home};

#[test]
fn a_command_runs_and_its_output_and_exit_code_come_through() {
    let home = Home::new();
    let ended = home.run(&["sh", "-c", "echo hello; echo oops >&2; exit 3"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (3, "hello\n"));
    assert!(ended.stderr.contains("task 1\n") && ended.stderr.contains("oops\n"), "{ended:?}");
    let shown = home.show("1");
    assert_eq!(shown["task"]["status"], "failed");
    assert_eq!(shown["task"]["failure"], "exit_status");
    assert_eq!(shown["task"]["metadata"]["exit_code"], 3);
    assert_eq!(shown["task"]["result"], "hello\n");
    assert_eq!(shown["task"]["metadata"]["stderr"], "oops\n");
}

#[test]
fn a_command_that_prints_nothing_is_completed() {
    let home = Home::new();
    let ended = home.run(&["true"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
    assert_eq!(home.statuses(), ["completed"]);
}

#[test]
fn a_command_may_talk_about_rate_limits_as_it_likes() {
    let home = Home::new();
    assert_eq!(home.run(&["echo", "429 Too Many Requests"]).code, 0);
    assert_eq!(home.statuses(), ["completed"]);
}

#[test]
fn bytes_come_through_as_they_are() {
    let home = Home::new();
    let output = home.command(&["run", "-q", "--", "printf", r"a\377\000b"]).output().unwrap();
    assert_eq!(output.stdout, b"a\xff\x00b");
    assert_eq!(output.stderr, b"");
}

#[test]
fn a_signal_a_missing_and_an_unusable_program_have_the_codes_of_a_shell() {
    let home = Home::new();
    home.run(&["sh", "-c", "kill -9 $$"]).says(128 + 9, &["SIGKILL", "[signal]"]);
    home.run(&["no-such-program-anywhere"]).says(127, &["[not_found]", "no-such-program"]);
    std::fs::write(home.file("plain"), "no program").unwrap();
    home.run(&["./plain"]).says(126, &["[cannot_run]", "plain"]);
    home.loom(&["run", "--cwd", "nowhere", "--", "true"]).says(126, &["nowhere"]);
}

#[test]
fn a_command_that_takes_too_long_is_ended_and_keeps_its_output() {
    let home = Home::new();
    let ended =
        home.loom(&["run", "--timeout", "300ms", "--", "sh", "-c", "echo begun; sleep 600"]);
    ended.says(124, &["timed out after 300ms", "[timeout]"]);
    assert_eq!(ended.stdout, "begun\n");
    let shown = home.show("1");
    assert_eq!(shown["task"]["failure"], "timeout");
    assert_eq!(shown["task"]["result"], "begun\n");
}

#[test]
fn a_failed_command_is_tried_again_as_often_as_asked_for() {
    let home = Home::new();
    let script = "echo x >> tries; test $(wc -l < tries) -ge 2";
    let ended = home.loom(&["run", "--retries", "3", "--", "sh", "-c", script]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let shown = home.show("1");
    assert_eq!((&shown["task"]["retries"], &shown["task"]["attempt"]), (&json!(1), &json!(2)));
    assert_eq!(shown["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(shown["attempts"][0]["failure"], "exit_status");
}

#[test]
fn the_command_gets_our_directory_and_environment_and_what_is_added() {
    let home = Home::new();
    std::fs::create_dir(home.file("sub")).unwrap();
    let script = "pwd; echo $ADDED $TAKEN $OURS $LOOM_TASK_ID";
    let output = home
        .command(&["run", "-C", "sub", "-e", "ADDED=a b", "-e", "TAKEN", "--", "sh", "-c", script])
        .env("TAKEN", "taken")
        .env("OURS", "ours")
        .output()
        .unwrap();
    let ended = Ended::from(output);
    let shown = home.show("1");
    let directory = home.file("sub").canonicalize().unwrap();
    let id = shown["task"]["id"].as_str().unwrap();
    assert_eq!(ended.stdout, format!("{}\na b taken ours {id}\n", directory.display()));
    assert_eq!(shown["task"]["env"], json!({"ADDED": "[hidden]", "TAKEN": "from_host(TAKEN)"}));
}

#[test]
fn standard_input_is_empty_unless_it_is_asked_for() {
    let home = Home::new();
    let with_input = |args: &[&str]| {
        let mut command = home.command(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // A command that reads nothing may be gone before all is written.
        let _ = child.stdin.take().unwrap().write_all(b"some words\n");
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    assert_eq!(with_input(&["run", "-q", "--", "cat"]), "");
    assert_eq!(with_input(&["run", "-q", "--stdin", "-", "--", "cat"]), "some words\n");
    std::fs::write(home.file("input"), "from a file").unwrap();
    assert_eq!(with_input(&["run", "-q", "--stdin", "input", "--", "cat"]), "from a file");
    home.loom(&["run", "--stdin", "missing", "--", "cat"]).says(125, &["missing", "hint"]);
}

#[test]
fn usage_errors_exit_with_two_and_say_what_to_do() {
    let home = Home::new();
    home.loom(&["frobnicate"]).says(2, &["unrecognized subcommand", "--help"]);
    home.loom(&["run", "--"]).says(2, &["COMMAND"]);
    home.loom(&["run", "--timeout", "soon", "--", "true"]).says(2, &["90s, 30m or 1h30m"]);
    home.loom(&["list", "--status", "odd"]).says(2, &["unknown status"]);
    assert_eq!(home.contents(), Vec::<String>::new());
}

#[test]
fn without_arguments_the_help_is_shown() {
    let home = Home::new();
    let help = home.loom(&[]);
    assert!(
        format!("{}{}", help.stdout, help.stderr).contains("loom run -- make test"),
        "{help:?}"
    );
    let help = home.loom(&["run", "--help"]);
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("124 timed out"));
}
