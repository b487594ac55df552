//! Blocks are found where they are.

use xtask::markdown::blocks;

#[test]
fn a_block_has_a_language_a_line_and_text() {
    let found = blocks("text\n\n```rust,no_run\nfn main() {}\n\n```\nmore\n~~~\nx\n~~~\n");
    let seen: Vec<_> = found.iter().map(|block| (block.line, block.language.as_str())).collect();
    assert_eq!(seen, [(3, "rust"), (8, "")]);
    assert_eq!(found[0].lines, ["fn main() {}", ""]);
}

#[test]
fn a_longer_fence_holds_a_shorter_one() {
    let found = blocks("````text\n```rust\n```\n````\n");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].lines, ["```rust", "```"]);
}

#[test]
fn a_block_in_a_list_loses_its_indentation() {
    let found = blocks("- see\n\n  ```console\n  $ loom\n    x\n  ```\n");
    assert_eq!(found[0].lines, ["$ loom", "  x"]);
}

#[test]
fn code_within_a_line_is_no_block() {
    assert!(blocks("```loom``` is a word\n").is_empty());
}

#[test]
fn a_block_that_stays_open_ends_with_the_text() {
    assert_eq!(blocks("```text\na\nb")[0].lines, ["a", "b"]);
}
