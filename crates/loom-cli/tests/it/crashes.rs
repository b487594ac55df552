//! Processes that die, and processes that live side by side.

use crate::home::{Home, lives};

#[test]
fn the_next_start_marks_exactly_the_task_of_the_killed_process_and_ends_its_command() {
    let home = Home::new();
    home.run(&["true"]);
    let (running, child) = home.start(&[], "echo $$; sleep 600 & sleep 600");
    running.kill();
    assert!(lives(&child), "nothing has been cleaned up yet");
    assert_eq!(home.statuses(), ["completed", "running"]);
    assert!(lives(&child), "looking recovers nothing");

    assert_eq!(home.run(&["echo", "next"]).stdout, "next\n");
    assert_eq!(home.statuses(), ["completed", "failed_crash", "completed"]);
    assert!(!lives(&child));
    let crashed = &home.show("2")["task"];
    assert_eq!(crashed["failure"], "crashed");
    assert!(crashed["error"].as_str().unwrap().contains("died"));
    assert!(crashed["completed_at"].is_string());
}

#[test]
fn a_second_process_never_touches_what_the_first_one_runs() {
    let home = Home::new();
    let script = "mkfifo gate; echo ready; cat gate";
    let (first, line) = home.start(&[], script);
    assert_eq!(line, "ready");
    for _ in 0..3 {
        assert_eq!(home.run(&["true"]).code, 0);
    }
    assert_eq!(home.statuses(), ["running", "completed", "completed", "completed"]);
    std::fs::write(home.file("gate"), "go\n").unwrap();
    assert_eq!(first.wait(), 0);
    assert_eq!(home.statuses()[0], "completed");
    assert_eq!(home.show("1")["task"]["result"], "ready\ngo\n");
}

#[test]
fn many_processes_at_once_each_run_their_own_task_once() {
    let home = Home::new();
    let children: Vec<_> = (0..8)
        .map(|number| {
            let script = format!("echo {number} >> ran; echo {number}");
            home.command(&["run", "-q", "--", "sh", "-c", &script])
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for (number, child) in children.into_iter().enumerate() {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        assert_eq!(output.stdout, format!("{number}\n").as_bytes());
    }
    let ran = std::fs::read_to_string(home.file("ran")).unwrap();
    assert_eq!(ran.lines().count(), 8);
    assert_eq!(home.statuses(), ["completed"; 8]);
}
