//! However a command ends, nothing of it is left.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use loom_supervisor::Outcome;
use rustix::process::Signal;

use crate::support::{LONG, Process, SHORT, Talk, host, run, shell};

/// Spawns, two by two, and prints a line for each process, all of which ignore the request to end.
const BOMB: &str = "trap '' TERM; f() { echo x; if [ $1 -gt 0 ]; then f $(($1 - 1)) & \
                    f $(($1 - 1)) & fi; sleep 1000; }; f 6";
/// How many lines that makes. Each process that prints one has a child that sleeps.
const BOMB_LINES: usize = 127;

#[test]
fn an_exit_code_and_the_output_arrive() {
    let (report, output) = run(shell("echo hello; exit 7"));
    assert_eq!(report.outcome, Outcome::Exited { code: 7 });
    assert_eq!(output, "hello\n");
    assert!(!report.stopped);
    assert_eq!(report.survivors, 0);
    assert_eq!(report.printed, None);
}

#[test]
fn a_signal_is_told_from_an_exit() {
    let (report, _) = run(shell("kill -KILL $$"));
    assert_eq!(report.outcome, Outcome::Signaled { signal: 9, core_dumped: false });
    assert!(!report.stopped);
}

#[test]
fn what_was_used_is_that_of_all_processes() {
    let busy = "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done";
    let (report, _) = run(shell(&format!("sh -c '{busy}' & wait; sh -c '{busy}'")));
    assert!(report.usage.user > Duration::ZERO, "{:?}", report.usage);
    assert!(report.usage.peak_rss_bytes > 500_000, "{:?}", report.usage);
    assert!(report.ran >= report.usage.user / 2, "{report:?}");
}

#[test]
fn a_process_that_forked_twice_into_a_session_of_its_own_ends_with_the_leader() {
    let mut talk =
        Talk::start(shell("(setsid sh -c 'echo $$; exec sleep 1000' &); read line; exit 3"));
    let daemon = talk.process();
    assert!(!daemon.has_ended());
    talk.input.write_all(b"go\n").unwrap();
    assert_eq!(talk.report().outcome, Outcome::Exited { code: 3 });
    assert!(daemon.has_ended(), "it was there after the report");
    assert_eq!(talk.rest(), "");
}

#[test]
fn what_ignores_the_request_is_killed_after_the_grace() {
    let script = "trap '' TERM; setsid sh -c 'echo $$; while :; do sleep 1000; done'";
    let mut talk = Talk::start(shell(script));
    let deaf = talk.process();
    talk.command.end(SHORT).unwrap();
    let report = talk.report();
    assert_eq!(report.outcome, Outcome::Signaled { signal: 9, core_dumped: false });
    assert!(report.stopped);
    assert!(report.ran >= SHORT);
    assert!(deaf.has_ended());
}

#[test]
fn what_heeds_the_request_ends_by_itself_and_is_asked_once() {
    let script = "trap 'echo asked' TERM; echo ready; read line; read line; exit 4";
    let mut talk = Talk::start(shell(script));
    assert_eq!(talk.line(), "ready");
    talk.command.end(LONG).unwrap();
    talk.command.end(LONG).unwrap();
    assert_eq!(talk.line(), "asked");
    drop(std::mem::replace(&mut talk.input, fs::File::open("/dev/null").unwrap()));
    assert_eq!(talk.report().outcome, Outcome::Exited { code: 4 });
    assert_eq!(talk.rest(), "");
}

#[test]
fn the_shortest_grace_holds() {
    let mut talk = Talk::start(shell("trap '' TERM; echo ready; while :; do sleep 1000; done"));
    assert_eq!(talk.line(), "ready");
    talk.command.end(Duration::MAX).unwrap();
    assert_eq!(talk.command.wait(Some(SHORT)).unwrap(), None);
    talk.command.kill().unwrap();
    assert_eq!(talk.report().outcome, Outcome::Signaled { signal: 9, core_dumped: false });
}

#[test]
fn a_stopped_command_is_woken_to_end() {
    let script = "trap 'exit 5' TERM; echo ready; while :; do read line; done";
    let mut talk = Talk::start(shell(script));
    assert_eq!(talk.line(), "ready");
    talk.command.signal(Signal::STOP.as_raw()).unwrap();
    talk.command.end(LONG).unwrap();
    assert_eq!(talk.report().outcome, Outcome::Exited { code: 5 });
}

#[test]
fn a_stopped_command_that_ignores_the_request_is_killed() {
    let mut talk = Talk::start(shell("trap '' TERM; echo $$; sleep 1000"));
    let leader = talk.process();
    talk.command.signal(Signal::STOP.as_raw()).unwrap();
    talk.command.end(SHORT).unwrap();
    assert_eq!(talk.report().outcome, Outcome::Signaled { signal: 9, core_dumped: false });
    assert!(leader.has_ended());
}

#[test]
fn of_two_hundred_processes_none_is_left() {
    let mut talk = Talk::start(shell(BOMB));
    for _ in 0..BOMB_LINES {
        assert_eq!(talk.line(), "x");
    }
    talk.command.end(SHORT).unwrap();
    let report = talk.report();
    assert_eq!(report.survivors, 0);
    // Nobody holds the pipe.
    talk.rest();
}

#[test]
fn processes_that_multiply_while_they_are_killed_are_all_killed() {
    let mut talk = Talk::start(shell(&BOMB.replace("f 6", "setsid sh -c 'sleep 1000' & f 9")));
    assert_eq!(talk.line(), "x");
    talk.command.kill().unwrap();
    assert_eq!(talk.report().survivors, 0);
    talk.rest();
}

#[test]
fn when_the_holder_is_gone_so_is_the_command() {
    let mut talk = Talk::start(shell("setsid sh -c 'echo $$; exec sleep 1000' & echo $$; wait"));
    let (one, other) = (talk.process(), talk.process());
    let supervisor = Process::of(talk.command.supervisor().pid);
    let Talk { command, .. } = talk;
    drop(command);
    assert!(supervisor.ends(LONG));
    assert!(one.has_ended() && other.has_ended());
}

#[test]
fn when_the_program_that_holds_it_is_killed_the_command_ends() {
    let script = "trap '' HUP; setsid sh -c 'echo $$; exec sleep 1000' & echo $$; wait";
    let mut holder = Command::new(host());
    let mut holder = holder.args(["sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let mut process = || Process::of(lines.next().unwrap().unwrap().parse().unwrap());
    let (one, other) = (process(), process());
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(one.ends(LONG) && other.ends(LONG));
}

#[test]
fn a_supervisor_that_is_asked_to_end_ends_the_command_and_reports() {
    let mut talk = Talk::start(shell("echo $$; exec sleep 1000"));
    let leader = talk.process();
    Process::of(talk.command.supervisor().pid).send(Signal::TERM);
    let report = talk.report();
    assert_eq!(report.outcome, Outcome::Signaled { signal: 15, core_dumped: false });
    assert!(report.stopped);
    assert!(leader.has_ended());
}

#[test]
fn a_supervisor_that_was_stopped_still_obeys() {
    let script = "read line; kill -STOP $PPID; echo $$; exec sleep 1000";
    let mut talk = Talk::start(shell(script));
    talk.input.write_all(b"go\n").unwrap();
    let leader = talk.process();
    talk.command.kill().unwrap();
    assert_eq!(talk.report().outcome, Outcome::Signaled { signal: 9, core_dumped: false });
    assert!(leader.has_ended());
}

#[test]
fn a_supervisor_that_was_killed_is_lost_and_its_command_may_run_on() {
    let mut talk = Talk::start(shell("echo $$; read line; echo still here"));
    let leader = talk.process();
    Process::of(talk.command.supervisor().pid).send(Signal::KILL);
    let lost = talk.command.wait(Some(LONG)).unwrap_err();
    assert_eq!(lost.command, talk.command.command().pid);
    assert!(!leader.has_ended());
    talk.input.write_all(b"go\n").unwrap();
    assert_eq!(talk.rest(), "still here\n");
}

#[test]
fn after_the_report_nothing_more_is_said() {
    let mut talk = Talk::start(shell("exit 0"));
    talk.report();
    assert_eq!(talk.command.next(None).unwrap(), None);
    assert_eq!(talk.command.try_next().unwrap(), None);
    // What is asked of it has no effect any more.
    let _ = talk.command.kill();
}

#[test]
fn a_supervisor_leaves_no_zombie() {
    let mut talk = Talk::start(shell("exit 0"));
    let supervisor = talk.command.supervisor().pid;
    talk.report();
    let process = Process::of(supervisor);
    drop(talk);
    assert!(process.ends(LONG));
    let parent = |pid: i32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.lines().find_map(|line| Some(line.strip_prefix("PPid:")?.trim().to_owned()))
    };
    // Reaped by the thread that the drop has left it to, at the latest when nobody else runs.
    while parent(supervisor) == Some(std::process::id().to_string()) {
        std::thread::yield_now();
    }
}
