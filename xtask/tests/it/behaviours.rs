//! The table of behaviours names every number once, and tests that exist.

use xtask::project::File;
use xtask::tidy::check;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

/// What is found in a table of all numbers, in which `row` stands for the first.
fn found(row: &str) -> Vec<String> {
    let others = (2..=154).filter(|number| *number != 145);
    let others =
        others.map(|number| format!("| {number} | it works | `loom_engine::life::it_works` |"));
    let rows: Vec<String> = std::iter::once(row.to_owned()).chain(others).collect();
    let table = format!("# Table\n\n| no. | what | test |\n|---|---|---|\n{}\n", rows.join("\n"));
    let tests = "//! Tests.\n\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn it_works() {}\n\n\
                 #[test]\n#[cfg(unix)]\nfn it_lives() {}\n\nfn helper() {}\n";
    let suite = "//! Cases.\n            calls::it_counts,\n";
    let files = [
        file("docs/go-behaviours.md", &table),
        file("crates/loom-engine/tests/it/life.rs", tests),
        file("crates/loom-engine/tests/it/life/long.rs", tests),
        file("crates/loom-testkit/src/conformance.rs", suite),
    ];
    check(&files).iter().map(ToString::to_string).collect()
}

fn says(found: &[String], what: &str) -> bool {
    found.len() == 1 && found.iter().all(|finding| finding.contains(what))
}

#[test]
fn a_row_names_tests_that_exist() {
    for test in [
        "`loom_engine::life::it_works`",
        "`loom_engine::life::it_lives`, `loom_engine::life::long::it_works`",
        "`loom_testkit::conformance::calls::it_counts`",
    ] {
        assert_eq!(found(&format!("| 1 | it does | {test} |")), [""; 0], "{test}");
    }
}

#[test]
fn a_test_that_is_not_there_is_found() {
    for test in [
        "loom_engine::life::it_sings",
        "loom_engine::life::helper",
        "loom_engine::death::it_works",
        "loom_store::life::it_works",
        "loom_testkit::conformance::calls::it_sings",
        "loom_engine::it_works",
    ] {
        let found = found(&format!("| 1 | it does | `{test}` |"));
        assert!(says(&found, &format!("there is no test `{test}`")), "{found:?}");
    }
}

#[test]
fn a_row_without_a_test_is_found_unless_it_is_otherwise_on_purpose() {
    assert!(says(&found("| 1 | it does | surely |"), "names no test"));
    let otherwise =
        "## Otherwise on purpose\n\n| 1 | it does | not here, because |\n\n## The rest\n";
    assert_eq!(found(otherwise), [""; 0]);
}

#[test]
fn every_number_has_one_row() {
    assert!(says(&found(""), "behaviour 1 has no row"));
    let row = "| 1 | it does | `loom_engine::life::it_works` |";
    assert!(says(&found(&format!("{row}\n{row}")), "behaviour 1 has several rows"));
}

#[test]
fn who_comes_from_go_finds_the_table() {
    let found = check(&[file("docs/migration-from-go.md", "# Coming from Go\n")]);
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(says(&found, "docs/go-behaviours.md is missing"), "{found:?}");
}
