//! Databases that cannot be used.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::home::Home;

/// Every verb says the same about a bad place, with its own exit code, and leaves nothing behind.
fn refused(home: &Home, place: &str, texts: &[&str]) {
    let before = home.contents();
    let verbs: [(&[&str], i32); 3] =
        [(&["run", "--", "true"], 125), (&["list"], 4), (&["show", "1"], 4)];
    for (verb, code) in verbs {
        let ended = home.loom(&[&["--db", place], verb].concat());
        ended.says(code, &[&["error", "hint", "[store_refused]"], texts].concat());
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(home.contents(), before, "something was left behind");
}

#[test]
fn a_directory_is_no_database() {
    let home = Home::new();
    fs::create_dir(home.file("folder")).unwrap();
    refused(&home, "folder", &["folder", "directory"]);
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let home = Home::new();
    fs::write(home.file("notes.txt"), "not a database, ".repeat(100)).unwrap();
    refused(&home, "notes.txt", &["notes.txt"]);
    assert_eq!(fs::read_to_string(home.file("notes.txt")).unwrap().len(), 1600);
}

#[test]
fn a_missing_directory_is_named() {
    let home = Home::new();
    let ended = home.loom(&["--db", "no/such/place.db", "run", "--", "true"]);
    ended.says(125, &["no/such", "hint"]);
    assert_eq!(home.contents(), Vec::<String>::new());
}

#[test]
fn files_and_directories_are_for_their_owner_alone_whatever_the_umask() {
    let home = Home::new();
    let mut sh = std::process::Command::new("sh");
    let loom = assert_cmd::cargo::cargo_bin!("loom");
    let ran = sh
        .args(["-c", r#"umask 000; exec "$0" run -- true"#])
        .arg(loom)
        .current_dir(home.path())
        .env("XDG_STATE_HOME", home.file("state"))
        .env_remove("LOOM_DB")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let found = home.contents();
    assert!(found.iter().any(|path| path.ends_with("loom.db")), "{found:?}");
    for path in found.iter().filter(|path| path.starts_with("state/loom")) {
        let metadata = fs::metadata(home.file(path)).unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, expected, "{path}");
    }
}
