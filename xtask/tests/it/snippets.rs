//! Sessions and documents.

use xtask::project::File;
use xtask::snippets::{Plan, Step, plan, session, untested};

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn a_session_is_commands_with_what_they_print() {
    let document = "```console\n$ loom list\nno tasks\n\n$ true\n```\n```sh\n$ not this\n```\n";
    let step = |line, command: &str, expected: &[&str]| Step {
        line,
        command: command.to_owned(),
        expected: crate::args(expected),
    };
    let expected = [step(2, "loom list", &["no tasks", ""]), step(5, "true", &[])];
    assert_eq!(session(document), expected);
}

#[test]
fn a_command_may_go_on_in_the_next_line() {
    let steps = session("```console\n$ loom run \\\n> --retries 3 -- true\ntask 1\n```\n");
    assert_eq!(steps[0].command, "loom run \\\n--retries 3 -- true");
    assert_eq!(steps[0].expected, ["task 1"]);
}

#[test]
fn cargo_run_is_the_command_line_of_this_tree() {
    assert_eq!(plan("cargo run -- list --json"), Plan::Run("loom list --json".to_owned()));
    assert_eq!(plan("loom list | wc -l"), Plan::Run("loom list | wc -l".to_owned()));
}

#[test]
fn what_other_verbs_check_is_left_out() {
    let skipped = ["cargo xtask ci", "cargo run --example hello -- x", "git clone x", "cd loom"];
    for command in skipped {
        assert!(matches!(plan(command), Plan::Skip(_)), "{command}");
    }
}

#[test]
fn a_document_with_rust_must_be_included() {
    let readme = file("README.md", "# loom\n\n```rust\nfn main() {}\n```\n");
    let plain = file("docs/plain.md", "```text\n```\n");
    let documents = [&readme, &plain];
    let found = untested(&documents, &[]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("README.md:3: "), "{found:?}");

    let includes = r#"#[doc = include_str!("../../../README.md")] struct Readme;"#;
    let facade = file("crates/loom/src/doctests.rs", includes);
    assert!(untested(&documents, &[facade]).is_empty());
    let elsewhere = file("crates/loom-cli/src/lib.rs", includes);
    assert_eq!(untested(&documents, &[elsewhere]).len(), 1);
}
