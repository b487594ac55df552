//! Asking `loom run` to stop.

use std::process::Stdio;

use crate::home::{Home, lives};

fn signal(pid: u32, name: &str) {
    let sent = std::process::Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn each_signal_cancels_the_task_ends_its_tree_and_sets_the_code() {
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let home = Home::new();
        let (running, child) = home.start(&[], "echo $$; sleep 600 & wait");
        assert!(lives(&child));
        signal(running.pid(), name);
        assert_eq!(running.wait(), 128 + number, "{name}");
        assert_eq!(home.statuses(), ["cancelled"], "{name}");
        assert!(!lives(&child), "{name}");
    }
}

#[test]
fn a_command_that_takes_no_notice_is_killed_by_a_second_signal() {
    let home = Home::new();
    let (running, child) =
        home.start(&[], "trap '' INT TERM; echo $$; while :; do sleep 600; done");
    let begun = std::time::Instant::now();
    signal(running.pid(), "INT");
    // The first one has been noticed once the task's end is on record.
    while home.tasks()[0].get("cancel_requested_at").is_none() {
        assert!(begun.elapsed().as_secs() < 60);
    }
    signal(running.pid(), "INT");
    assert_eq!(running.wait(), 130);
    assert!(!lives(&child));
    assert_eq!(home.statuses(), ["cancelled"]);
}

#[test]
fn a_command_whose_reader_has_gone_is_stopped() {
    let home = Home::new();
    let mut command = home.command(&["run", "-q", "--", "yes"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(128 + 13));
    assert_eq!(home.statuses(), ["cancelled"]);
}
