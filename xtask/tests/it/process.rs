//! Programs that end, and one that does not.

use std::process::Command;
use std::time::Duration;

use xtask::process::capture;

const LONG: Duration = Duration::from_secs(60);

fn shell(script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]);
    shell
}

#[test]
fn both_streams_and_the_status_are_kept() {
    let ended = capture(&mut shell("echo out; echo err >&2; exit 3"), LONG).unwrap();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("out\n", "err\n"));
    assert_eq!(ended.status.code(), Some(3));
}

#[test]
fn a_program_reads_nothing() {
    assert_eq!(capture(&mut shell("cat"), LONG).unwrap().stdout, "");
}

#[test]
fn a_program_that_does_not_end_is_killed() {
    let failure = capture(&mut shell("exec sleep 3600"), Duration::ZERO).unwrap_err();
    assert!(failure.to_string().contains("still running"), "{failure}");
}
