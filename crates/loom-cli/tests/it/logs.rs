//! `loom logs`: what tasks have printed, and following them.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::Value;

use crate::home::Home;

#[test]
fn what_a_command_printed_comes_back_apart_and_byte_for_byte() {
    let home = Home::new();
    let script = r"printf 'out\377\000\n'; printf 'err\376' >&2; exit 3";
    home.command(&["run", "--", "sh", "-c", script]).output().unwrap();
    let logs = home.command(&["logs", "1"]).output().unwrap();
    assert_eq!(logs.status.code(), Some(0), "whatever became of the task");
    assert_eq!(
        (logs.stdout.as_slice(), logs.stderr.as_slice()),
        (&b"out\xff\0\n"[..], &b"err\xfe"[..])
    );
    let id = home.tasks()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(home.command(&["logs", "-f", &id]).output().unwrap().stdout, b"out\xff\0\n");
}

#[test]
fn a_task_is_followed_from_another_terminal_until_it_has_ended() {
    let home = Home::new();
    let (run, _) =
        home.start(&[], "echo begun; while ! test -e go; do sleep 0.01; done; echo ended");
    let mut follow = home.command(&["logs", "-f", "1"]);
    let mut follow = follow.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert_eq!(first, "begun\n");
    assert_eq!(home.statuses(), ["running"]);
    std::fs::write(home.file("go"), "").unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), follow.wait().unwrap().code()), ("ended\n", Some(0)));
    assert_eq!(run.wait(), 0);
}

#[test]
fn what_a_dead_process_has_printed_is_there() {
    let home = Home::new();
    let (run, _) = home.start(&[], "echo last words; exec sleep 600");
    // From here on it is kept: somebody else has seen it.
    let mut follow = home.command(&["logs", "-f", "1"]);
    let mut follow = follow.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(follow.stdout.take().unwrap()).read_line(&mut line).unwrap();
    run.kill();
    follow.kill().unwrap();
    follow.wait().unwrap();
    assert_eq!(home.loom(&["logs", "1"]).stdout, "last words\n");
    // The next start ends the task, and with it whoever follows.
    home.run(&["true"]);
    let followed = home.loom(&["logs", "-f", "1"]);
    assert_eq!((followed.code, followed.stdout.as_str()), (0, "last words\n"));
}

#[test]
fn programs_get_a_line_of_json_for_each_chunk_of_every_attempt() {
    let home = Home::new();
    home.loom(&[
        "run",
        "--retries",
        "1",
        "--",
        "sh",
        "-c",
        "echo out; test -e again || { >again; exit 1; }",
    ]);
    let logs = home.loom(&["logs", "1", "--json"]);
    let chunks: Vec<Value> =
        logs.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<(u64, &str, u64, &str)> = chunks
        .iter()
        .map(|chunk| {
            let number = |name: &str| chunk[name].as_u64().unwrap();
            let text = |name: &str| chunk[name].as_str().unwrap();
            (number("attempt"), text("stream"), number("position"), text("text"))
        })
        .collect();
    assert_eq!(seen, [(1, "stdout", 0, "out\n"), (2, "stdout", 4, "out\n")]);
    assert!(chunks.iter().all(|chunk| chunk["cut"] == 0 && chunk["at"].is_string()), "{chunks:?}");
}

#[test]
fn beyond_the_cap_it_is_said_how_much_is_missing() {
    let home = Home::new();
    home.command(&["run", "-q", "--", "sh", "-c", "head -c 20000000 /dev/zero; echo end"])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    let logs = home.command(&["logs", "1"]).output().unwrap();
    assert!(logs.stdout.ends_with(b"\0end\n"));
    let said = String::from_utf8(logs.stderr).unwrap();
    let missing = said.strip_prefix("[\u{2026} ").and_then(|rest| rest.split(' ').next()).unwrap();
    assert_eq!(logs.stdout.len() + missing.parse::<usize>().unwrap(), 20_000_004, "{said}");
    assert!(logs.stdout.len() <= 16 << 20);
}

#[test]
fn a_task_that_printed_nothing_and_one_that_is_not_there_are_told_with_what_to_do() {
    let home = Home::new();
    home.loom(&["logs", "1"]).says(3, &["no task 1", "[not_found]", "hint"]);
    assert_eq!(home.contents(), Vec::<String>::new());
    home.run(&["true"]);
    home.loom(&["logs", "1"]).says(0, &["task 1 has printed nothing", "loom show 1"]);
    home.loom(&["logs", "2"]).says(3, &["no task 2"]);
    home.loom(&["logs"]).says(2, &["Examples:", "loom logs -f 12"]);
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let home = Home::new();
    home.command(&["run", "-q", "--", "seq", "1", "200000"])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    let mut logs = home.command(&["logs", "1"]);
    let mut logs = logs.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(logs.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let ended = logs.wait_with_output().unwrap();
    assert_eq!(
        (first.as_str(), ended.status.code(), ended.stderr.as_slice()),
        ("1\n", Some(0), &b""[..])
    );
}
