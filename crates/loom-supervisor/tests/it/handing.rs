//! What a command is given, and that it is nothing more.

use std::fs::{self, File};
use std::io::{ErrorKind, pipe};
use std::os::fd::AsRawFd;
use std::process::Command;

use loom_supervisor::{Input, Outcome, Spec, StartError, start};
use rustix::io::dup;

use crate::support::{OPEN_FILES, Process, Talk, host, run, shell, supervisor};

#[test]
fn a_command_has_three_open_files_and_its_supervisor_none_of_its_starters() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    let opened = File::open(secret.path()).unwrap();
    // A copy that is not closed when another program is run.
    let leaked = dup(&opened).unwrap();
    let mut talk = Talk::start(shell(&format!("{OPEN_FILES}; read line")));
    let lines = [talk.line(), talk.line(), talk.line()];
    assert_eq!(lines, ["0", "1", "2"]);
    let files = format!("/proc/{}/fd", talk.command.supervisor().pid);
    let files: Vec<_> = fs::read_dir(files).unwrap().map(|file| file.unwrap().path()).collect();
    let leads_there = |file: &&std::path::PathBuf| {
        fs::read_link(file).is_ok_and(|target| target == secret.path())
    };
    assert!(!files.is_empty());
    assert_eq!(files.iter().find(leads_there), None);
    assert!(leaked.as_raw_fd() > 2);
    talk.command.kill().unwrap();
    assert_eq!(talk.rest(), "");
}

#[test]
fn what_the_starter_ignores_or_blocks_the_command_does_not() {
    let script = "trap '' HUP INT QUIT USR1 CHLD XFSZ; exec \"$0\" cat /proc/self/status";
    let output = Command::new("sh").args(["-c", script]).arg(host()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let status = String::from_utf8(output.stdout).unwrap();
    let set = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    assert_eq!(set("SigBlk:"), 0, "{status}");
    // But for the two that the C library keeps to itself, 32 and 33.
    assert_eq!(set("SigIgn:") & !(0b11 << 31), 0, "{status}");
}

#[test]
fn the_environment_is_what_was_set() {
    let spec = Spec::new("/usr/bin/env").env("A", "1").env("B", "x=y").env("A", "2");
    assert_eq!(run(spec).1, "A=2\nB=x=y\n");
}

#[test]
fn a_program_is_looked_for_in_the_path_of_the_command() {
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/bin/echo", directory.path().join("only-here")).unwrap();
    let spec = || Spec::new("only-here").arg("found");
    assert_eq!(run(spec().env("PATH", directory.path())).1, "found\n");
    let failed = start(&supervisor(), spec().inherit_env()).unwrap_err();
    let StartError::Command { program, source } = failed else {
        panic!("{failed:?}");
    };
    assert_eq!((program.to_str(), source.kind()), (Some("only-here"), ErrorKind::NotFound));
}

#[test]
fn a_command_works_where_it_is_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap();
    assert_eq!(run(shell("pwd -P").cwd(&path)).1.trim_end(), path.to_str().unwrap());
    let own = std::env::current_dir().unwrap().canonicalize().unwrap();
    assert_eq!(run(shell("pwd -P")).1.trim_end(), own.to_str().unwrap());
    assert_eq!(run(shell("pwd -P").cwd("src")).1.trim_end(), own.join("src").to_str().unwrap());
}

#[test]
fn a_directory_that_is_none_is_told_from_a_program_that_is_none() {
    let spec = shell("true").cwd("/proc/self/status");
    let failed = start(&supervisor(), spec).unwrap_err();
    assert!(
        matches!(&failed, StartError::Cwd { path, .. } if path.ends_with("status")),
        "{failed:?}"
    );
}

#[test]
fn what_no_command_can_take_is_refused() {
    let refused = [
        Spec::new(""),
        Spec::new("true").arg("a\0b"),
        Spec::new("true").env("A=B", "C"),
        Spec::new("true").env("", "C"),
        Spec::new("true").survive("/tmp", 1).stdout(File::open("/dev/null").unwrap()),
        Spec::new("true").arg("a".repeat(9 << 20)),
    ];
    for spec in refused {
        let failed = start(&supervisor(), spec).unwrap_err();
        assert!(matches!(failed, StartError::Invalid(_)), "{failed:?}");
    }
}

#[test]
fn what_the_system_does_not_take_is_an_error_of_the_command() {
    let failed = start(&supervisor(), Spec::new("/bin/true").arg("a".repeat(4 << 20)));
    let failed = failed.unwrap_err();
    let StartError::Command { source, .. } = failed else {
        panic!("{failed:?}");
    };
    assert_eq!(source.kind(), ErrorKind::ArgumentListTooLong);
}

#[test]
fn a_long_text_is_read_to_its_end() {
    let text: Vec<u8> = (0..1_000_000_u32).map(|number| (number % 251) as u8).collect();
    let (mut reader, writer) = pipe().unwrap();
    let spec = shell("cat").stdin(Input::Text(text.clone())).stdout(writer);
    let mut command = start(&supervisor(), spec).unwrap();
    let mut copy = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut copy).unwrap();
    assert!(copy == text);
    command.wait(None).unwrap().unwrap();
}

#[test]
fn without_files_there_is_nothing_to_read_and_nowhere_to_print() {
    let spec = shell("cat; echo lost; readlink /proc/self/fd/0 /proc/self/fd/1 > /dev/null");
    let report = start(&supervisor(), spec).unwrap().wait(None).unwrap().unwrap();
    assert_eq!(report.outcome, Outcome::Exited { code: 0 });
}

#[test]
fn a_command_leads_a_group_in_a_session_without_a_terminal() {
    let mut talk = Talk::start(shell("cut -d ' ' -f 5-7 /proc/$$/stat; read line"));
    let (leader, supervisor) = (talk.command.command().pid, talk.command.supervisor().pid);
    assert_eq!(talk.line(), format!("{leader} {supervisor} 0"));
    drop(Process::of(leader));
    talk.command.kill().unwrap();
    talk.report();
}
