//! `loom import-go`: a database of the Go library, taken over.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::home::{Ended, Home};

/// Written by the Go library itself: 358 tasks, 100 of them in flight, 100 waiting.
fn sample(home: &Home) -> PathBuf {
    let sample =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../loom-store/tests/data/go-loom-v0.2.0.db");
    let path = home.file("go.db");
    fs::copy(sample, &path).unwrap();
    path
}

fn imported(home: &Home, args: &[&str]) -> Value {
    let ended = home.loom(&[&["import-go", "--json"], args].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

fn report(added: u64, present: u64, crashed: u64, waiting: &Value) -> Value {
    json!({
        "schema": 1, "added": added, "present": present, "crashed": crashed, "waiting": waiting,
        "unreadable": [], "unreadable_count": 0,
    })
}

#[test]
fn a_database_is_taken_over_once_and_only_read() {
    let home = Home::new();
    let source = sample(&home);
    let before = fs::read(&source).unwrap();
    let ended = home.loom(&["import-go", "go.db"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    let expected = format!(
        "358 tasks added to {}, 0 there already\n  100 in somebody's hands, now failed_crash\n  \
         100 waiting for engine godb-engine\n",
        home.file("state/loom/loom.db").display()
    );
    assert_eq!(ended.stdout, expected);
    assert!(fs::read(&source).unwrap() == before);
    assert!(!home.contents().iter().any(|name| name.starts_with("go.db-")), "nothing beside it");

    let tasks = home.tasks();
    assert_eq!(tasks.len(), 358);
    let shown = home.show("1");
    assert_eq!(shown["task"]["daemon_id"], "0199c0de-0000-7000-8000-0000000000aa");
    assert_eq!(shown["task"]["origin"]["last_seen_at"], "2026-11-22T14:42:04Z");
    assert_eq!(imported(&home, &["go.db"]), report(0, 358, 0, &json!({})));
    assert_eq!(home.tasks(), tasks, "a second import changes nothing");
}

#[test]
fn an_import_runs_nothing_and_leaves_its_tasks_to_their_engines() {
    let home = Home::new();
    sample(&home);
    home.loom(&["import-go", "go.db"]);
    let waiting = |status: &str| {
        let listed = home.loom(&["list", "--json", "-n", "1000", "-s", status]).stdout;
        let listed: Value = serde_json::from_str(&listed).unwrap();
        listed["tasks"].as_array().unwrap().len()
    };
    assert_eq!((waiting("pending"), waiting("retrying"), waiting("running")), (50, 50, 0));
    assert_eq!(home.run(&["true"]).code, 0);
    assert_eq!((waiting("pending"), waiting("retrying")), (50, 50), "nor does a later command");
}

#[test]
fn an_import_that_was_killed_is_completed_by_another() {
    let home = Home::new();
    sample(&home);
    let mut child = home.command(&["import-go", "go.db"]);
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Whenever it is hit, be it before its first commit or behind its last one.
    while !home.file("state/loom/loom.db-wal").exists() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let second = imported(&home, &["go.db"]);
    let count = |field: &str| second[field].as_u64().unwrap();
    assert_eq!(count("added") + count("present"), 358);
    assert_eq!(home.tasks().len(), 358);
    assert_eq!(imported(&home, &["go.db"]), report(0, 358, 0, &json!({})));
}

/// Four tasks in the schema of v0.1, which knows no engines: one waits, one cannot be read.
fn oldest(home: &Home) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/go-loom-v0.1.db");
    fs::copy(sample, home.file("old.db")).unwrap();
}

#[test]
fn rows_that_cannot_be_read_are_named_and_tasks_without_an_engine_are_told_of() {
    let home = Home::new();
    oldest(&home);
    let ended = home.loom(&["import-go", "old.db"]);
    ended.says(1, &["unreadable", "old-4", "its env", "hint", "--engine NAME"]);
    assert!(!ended.stderr.contains("API_KEY"), "{ended:?}");
    assert!(ended.stdout.contains("3 tasks added to ") && ended.stdout.contains("1 unreadable"));
    assert!(ended.stdout.contains("1 waiting for no engine"), "{ended:?}");
    let failed = home.show("3");
    let error = failed["task"]["error"].as_str().unwrap();
    assert!(error.starts_with("refused: ") && error.contains("[REDACTED"), "{error}");
    assert!(!error.contains("abcdefgh"), "{error}");
}

#[test]
fn tasks_without_an_engine_can_be_given_one() {
    let home = Home::new();
    oldest(&home);
    let ended = home.loom(&["import-go", "old.db", "--engine", "website", "--json"]);
    ended.says(1, &["old-4"]);
    assert!(!ended.stderr.contains("hint"), "{ended:?}");
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(told["waiting"], json!({"website": 1}));
    assert_eq!(told["unreadable"][0]["id"], "old-4");
    assert!(home.tasks().iter().all(|task| task["engine_name"] == "website"));
}

#[test]
fn what_cannot_be_imported_says_why_and_makes_nothing() {
    let home = Home::new();
    sample(&home);
    home.loom(&["import-go", "nope.db"]).says(3, &["no file nope.db", "[not_found]", "hint"]);
    home.loom(&["import-go", "go.db", "--db", "go.db"]).says(4, &["into itself", "hint"]);
    fs::write(home.file("text.db"), "some text").unwrap();
    home.loom(&["import-go", "text.db"]).says(4, &["[store_refused]", "hint"]);
    let no_file = home.loom(&["import-go"]);
    no_file.says(2, &["required", "<FILE>", "Usage"]);
    assert!(!no_file.stderr.contains("Examples"), "{no_file:?}");
    home.loom(&["list", "--db", "go.db"]).says(4, &["Go library", "loom import-go"]);
    assert_eq!(home.contents(), ["go.db", "text.db"]);
    assert_eq!(home.run(&["true"]).code, 0);
    home.loom(&["import-go", "state/loom/loom.db", "--db", "new.db"]).says(4, &["of this loom"]);
}

#[test]
fn an_engine_changes_nothing_for_tasks_that_are_there_already() {
    let home = Home::new();
    oldest(&home);
    let named = ["import-go", "old.db", "--engine", "website"];
    let first = home.loom(&["import-go", "old.db"]);
    assert!(!first.stderr.contains("changes nothing"), "{first:?}");
    home.loom(&named).says(1, &["--engine changes nothing", "there already"]);
    assert!(home.tasks().iter().all(|task| task["engine_name"] != "website"));
}

/// `loom` as somebody for whom files of mode 0 are closed, which they are not for root.
fn without_rights(home: &Home, args: &[&str]) -> Ended {
    const NOBODY: u32 = 65534;
    let mut command = home.command(args);
    if fs::metadata(home.path()).unwrap().uid() == 0 {
        chown(home.path(), Some(NOBODY), None).unwrap();
        command.uid(NOBODY);
    }
    command.output().unwrap().into()
}

#[test]
fn a_source_that_this_user_may_not_read_is_named() {
    for closed in ["go.db", "go.db-wal", "go.db-shm"] {
        let home = Home::new();
        let mut database = fs::read(sample(&home)).unwrap();
        // Where the header says that there is a write-ahead log.
        database[18..20].fill(2);
        for (name, content) in [("go.db", &*database), ("go.db-wal", b""), ("go.db-shm", b"")] {
            fs::write(home.file(name), content).unwrap();
        }
        for name in ["go.db", "go.db-wal", "go.db-shm"] {
            let mode = if name == closed { 0o000 } else { 0o644 };
            fs::set_permissions(home.file(name), Permissions::from_mode(mode)).unwrap();
        }
        let ended = without_rights(&home, &["import-go", "go.db", "--db", "new.db"]);
        ended.says(4, &["[store_refused]", "go.db", "may not read", closed, "hint"]);
        assert!(!ended.stderr.contains("disk full"), "{ended:?}");
    }
}

#[test]
fn a_database_of_loom_that_this_user_may_not_use_is_named() {
    let home = Home::new();
    assert_eq!(home.loom(&["run", "--db", "own.db", "--", "true"]).code, 0);
    for name in ["own.db-wal", "own.db-shm"] {
        fs::write(home.file(name), "").unwrap();
        fs::set_permissions(home.file(name), Permissions::from_mode(0o000)).unwrap();
    }
    fs::set_permissions(home.file("own.db"), Permissions::from_mode(0o666)).unwrap();
    let ended = without_rights(&home, &["list", "--db", "own.db"]);
    ended.says(4, &["[store_refused]", "may not read and write", "own.db-", "hint"]);
}

#[test]
fn a_directory_for_the_copy_that_cannot_be_used_is_named() {
    let home = Home::new();
    sample(&home);
    fs::write(home.file("go.db-wal"), "something").unwrap();
    let mut command = home.command(&["import-go", "go.db", "--db", "new.db"]);
    let ended = Ended::from(command.env("TMPDIR", home.file("absent")).output().unwrap());
    ended.says(4, &["[store_refused]", "go.db", "absent", "TMPDIR"]);
}
