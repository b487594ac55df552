//! What examples say that they print.

use xtask::examples::expected;

const HELLO: &str = r#"//! Says hello.
//!
//! ```
//! not_this();
//! ```
//!
//! Prints:
//!
//! ```text
//! hello world
//!   indented …
//! ```

fn main() {}
"#;

fn lines(source: &str) -> Vec<String> {
    expected(source).unwrap_or_default()
}

#[test]
fn the_block_under_prints_is_expected() {
    assert_eq!(lines(HELLO), ["hello world", "  indented …"]);
}

#[test]
fn attributes_may_stand_above_the_doc() {
    let source = format!("#![expect(\n    clippy::print_stdout,\n)]\n\n{HELLO}");
    assert_eq!(lines(&source), ["hello world", "  indented …"]);
}

#[test]
fn a_block_that_nobody_announces_is_not_expected() {
    assert_eq!(expected(&HELLO.replace("Prints:", "See:")), None);
}

#[test]
fn an_empty_block_expects_nothing_and_is_refused() {
    assert_eq!(expected("//! Prints:\n//! ```text\n//! ```\n"), None);
}

#[test]
fn a_block_below_the_header_is_too_late() {
    assert_eq!(expected("//! Says hello.\n\n//! Prints:\n//! ```text\n//! hi\n//! ```\n"), None);
}
