//! What tidy finds, and what it leaves alone.
//!
//! Words that it forbids stand here in two halves: it reads this file as well.

use xtask::project::File;
use xtask::tidy::check;

const CORE: &str = "crates/loom-core/src/task.rs";

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

/// The findings about one file.
fn findings(path: &str, text: &str) -> Vec<String> {
    check(&[file(path, text)]).iter().map(ToString::to_string).collect()
}

/// The findings about one line under a module doc.
fn about(path: &str, line: &str) -> Vec<String> {
    findings(path, &format!("//! A module.\n{line}\n"))
}

fn is_found(found: &[String], start: &str) -> bool {
    found.len() == 1 && found.iter().all(|finding| finding.starts_with(start))
}

#[test]
fn a_plain_file_is_tidy() {
    assert!(about(CORE, "pub struct Task; // What it is, https://example.org/x").is_empty());
}

#[test]
fn a_module_begins_with_its_doc() {
    let found = findings(CORE, "use std::fmt;\n//! Late.\n");
    assert!(is_found(&found, "crates/loom-core/src/task.rs:1: "), "{found:?}");
    assert!(findings(CORE, "#![expect(clippy::panic)]\n//! After attributes.\n").is_empty());
    assert_eq!(findings(CORE, "#![expect(clippy::panic)]\nfn main() {}\n").len(), 1);
}

#[test]
fn files_have_a_longest_length() {
    let lines = |count: usize| format!("//! A module.\n{}", "//\n".repeat(count - 1));
    assert!(findings(CORE, &lines(500)).is_empty());
    let found = findings(CORE, &lines(501));
    assert!(is_found(&found, "crates/loom-core/src/task.rs:501: "), "{found:?}");
}

#[test]
fn forbidden_words_are_found_where_they_stand() {
    let words = [
        ["unbounded", "_channel()"],
        ["to", "do!()"],
        ["#[ig", "nore]"],
        ["#[should", "_panic]"],
        ["// TO", "DO later"],
        ["// FIX", "ME"],
        ["// see /wo", "rk/x"],
        ["// .lib", "rary"],
        ["// crates", ".io"],
    ];
    for word in words {
        let found = about(CORE, &word.concat());
        assert!(is_found(&found, "crates/loom-core/src/task.rs:2: "), "{word:?}: {found:?}");
    }
}

#[test]
fn several_findings_are_all_told() {
    let text = format!("use std::fmt; \n// TO{0}, FIX{1}", "DO", "ME");
    assert_eq!(findings(CORE, &text).len(), 5);
}

#[test]
fn tickets_are_found_in_comments_alone() {
    let ticket = ["ABC", "12"].join("-");
    assert!(is_found(&about(CORE, &format!("// Since {ticket}.")), CORE));
    assert!(about(CORE, &format!("let id = \"{ticket}\";")).is_empty());
    for standard in ["UTF-8", "SHA-256", "ISO-8601", "RFC-3339", "x-1", "A-1", "FIRST-ONE"] {
        assert!(about(CORE, &format!("// As in {standard}.")).is_empty(), "{standard}");
    }
}

#[test]
fn the_facade_has_functions_in_one_file_only() {
    assert!(is_found(&about("crates/loom/src/lib.rs", "pub fn open() {}"), "crates/loom/src/lib"));
    assert!(about("crates/loom/src/lib.rs", "//! fn main() {}").is_empty());
    assert!(about("crates/loom/src/lib.rs", "pub use loom_core::worker_fn;").is_empty());
    assert!(about("crates/loom/src/open.rs", "pub fn open() {}").is_empty());
}

#[test]
fn the_engine_speaks_in_one_place() {
    let spoken =
        ["logger.log(record);", "use opentelemetry::metrics::Counter;", "x: Histogram<u64>"];
    for line in spoken {
        assert_eq!(about("crates/loom-engine/src/attempt.rs", line).len(), 1, "{line}");
        assert!(about("crates/loom-engine/src/record.rs", line).is_empty());
        assert!(about("crates/loom-engine/src/record/metrics.rs", line).is_empty());
        assert!(about(CORE, line).is_empty());
    }
    assert!(about("crates/loom-engine/src/attempt.rs", "// Not a Counter.").is_empty());
}

#[test]
fn lines_end_where_their_text_ends() {
    for text in ["a \n", "a\t\n", "a\r\n", "a"] {
        assert!(is_found(&findings("docs/a.md", text), "docs/a.md:1: "), "{text:?}");
    }
    assert!(is_found(&findings("docs/a.md", "a\n\n"), "docs/a.md:2: "));
    assert!(findings("docs/a.md", "a\n\nb\n").is_empty());
    assert!(findings("docs/a.md", "").is_empty());
}

#[test]
fn files_of_tools_and_of_tests_are_left_as_they_are() {
    let untidy = format!("crates{} ", ".io");
    assert!(findings("Cargo.lock", &untidy).is_empty());
    assert!(findings("crates/loom-store/tests/data/dump.sql", &untidy).is_empty());
    assert_eq!(findings("crates/loom-store/tests/it/dump.sql", &untidy).len(), 3);
}

#[test]
fn tests_are_one_program() {
    let text = "//! Tests.\n";
    assert!(findings("crates/loom/tests/it/main.rs", text).is_empty());
    assert!(findings("crates/loom/tests/data/tasks.json", "{}\n").is_empty());
    for stray in ["tests/api.rs", "tests/common/mod.rs", "tests/notes.md"] {
        let path = format!("crates/loom/{stray}");
        assert!(is_found(&findings(&path, text), &path), "{stray}");
    }
}

#[test]
fn a_package_is_called_like_its_folder() {
    let manifest = "[package]\nname = \"loom-core\"\n\n[[bin]]\nname = \"loom\"\n";
    assert!(findings("crates/loom-core/Cargo.toml", manifest).is_empty());
    let found = findings("crates/core/Cargo.toml", manifest);
    assert!(is_found(&found, "crates/core/Cargo.toml:2: "), "{found:?}");
}

#[test]
fn the_map_names_every_crate() {
    let manifest = |name: &str| {
        let text = format!("[package]\nname = \"{name}\"\n");
        file(&format!("crates/{name}/Cargo.toml"), &text)
    };
    let map = |text: &str| {
        let files = [manifest("loom"), manifest("loom-core"), file("ARCHITECTURE.md", text)];
        check(&files).len()
    };
    assert_eq!(map("`loom` and `loom-core`\n"), 0);
    assert_eq!(map("`loom-core` alone\n"), 1);
    assert_eq!(map(&format!("loom, loom-core\n{}", "x\n".repeat(250))), 1);
}
