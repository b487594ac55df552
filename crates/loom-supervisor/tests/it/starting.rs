//! Who is taken for a supervisor, and who is not.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use loom_supervisor::{HANDSHAKE_WAIT, Outcome, Program, Spec, StartError, prepare, start};
use tempfile::TempDir;

use crate::support::{LONG, Process, host, supervisor};

fn script(text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("program");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    (directory, path)
}

/// Why `program` was not taken, by its name, for a supervisor.
fn rejected(program: impl Into<PathBuf>) -> String {
    let program = program.into();
    let failed = start(&Program::at(&program), Spec::new("true")).unwrap_err();
    let text = failed.to_string();
    let StartError::NoSupervisor { program: named, reason } = failed else {
        panic!("{failed:?}");
    };
    assert_eq!(named, program);
    assert!(text.contains(&reason) && text.contains("name a `loom-supervisor` binary"), "{text}");
    reason
}

#[test]
fn a_program_that_does_something_else_is_no_supervisor() {
    let reason = rejected("/bin/true");
    assert!(reason.contains("ended without an answer"), "{reason}");
}

#[test]
fn a_program_that_repeats_what_it_hears_is_no_supervisor() {
    let (_directory, path) = script("exec cat >&0");
    rejected(path);
}

#[test]
fn a_program_that_says_what_it_likes_is_no_supervisor() {
    let (_directory, path) = script("echo a supervisor, honestly >&0; exec sleep 1000");
    let reason = rejected(path);
    assert!(reason.contains("no message"), "{reason}");
}

#[test]
fn a_program_that_says_nothing_is_given_up_and_killed() {
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    let (_directory, path) = script(&format!("echo $$ > {}; exec sleep 1000", pid.display()));
    let started = Instant::now();
    let reason = rejected(path);
    assert!(reason.contains("did not answer"), "{reason}");
    assert!(started.elapsed() < HANDSHAKE_WAIT * 4);
    let pid = fs::read_to_string(pid).unwrap();
    assert!(!fs::exists(format!("/proc/{}", pid.trim())).unwrap());
}

#[test]
fn a_program_that_is_not_there_is_said_to_be_missing() {
    let failed = start(&Program::at("/no/such/program"), Spec::new("true")).unwrap_err();
    assert!(
        matches!(&failed, StartError::Program { program, .. } if program.starts_with("/no")),
        "{failed:?}"
    );
}

#[test]
fn a_program_that_has_not_offered_itself_is_never_run_again() {
    let failed = Program::host().unwrap_err();
    assert!(matches!(failed, StartError::NotAHost));
    assert!(failed.to_string().contains("supervisor_main()"));
}

#[test]
fn a_program_that_has_offered_itself_is_its_own_supervisor() {
    let script = "echo from $(cat /proc/$PPID/comm); exit 9";
    let output = Command::new(host()).args(["sh", "-c", script]).output().unwrap();
    assert_eq!(output.status.code(), Some(9));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "from loom-supervisor\n");
}

#[test]
fn a_prepared_supervisor_waits_for_its_command_and_ends_without_one() {
    let unused = prepare(&supervisor()).unwrap();
    let process = Process::of(unused.supervisor().pid);
    assert!(!process.has_ended());
    drop(unused);
    assert!(process.ends(LONG));
    let spec = Spec::new("true").env("PATH", "/usr/bin:/bin");
    let mut supervised = prepare(&supervisor()).unwrap().start(spec).unwrap();
    let report = supervised.wait(Some(LONG)).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Exited { code: 0 });
    let refused = prepare(&supervisor()).unwrap().start(Spec::new("")).unwrap_err();
    assert!(matches!(refused, StartError::Invalid(_)), "{refused:?}");
    let refused = prepare(&supervisor()).unwrap().start(Spec::new("/no/such")).unwrap_err();
    assert!(matches!(refused, StartError::Command { .. }), "{refused:?}");
}

#[test]
fn called_by_hand_the_supervisor_says_what_it_is_for() {
    for args in [&[][..], &["--loom-supervisor"], &["--help"]] {
        let mut command = Command::new(supervisor().path());
        let output = command.args(args).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains("not by hand"));
    }
}
