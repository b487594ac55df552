//! Rules for a file of Rust.

use super::{Finding, Words, forbidden};
use crate::project::File;

/// The most lines of a file. Clippy looks after the length of functions.
const FILE_LINES_MAX: usize = 500;

/// What code may not use.
const WORDS: Words = &[
    ("unbounded", "_channel", "everything has a bound"),
    ("to", "do!", "a stub"),
    ("#[ig", "nore", "a test that does not run tests nothing"),
    ("#[should", "_panic", "say which error comes back"),
];

/// What looks like a ticket and is a name.
const STANDARDS: [&str; 6] = ["UTF", "SHA", "ISO", "RFC", "IEEE", "BLAKE"];

pub(super) fn check(file: &File) -> Vec<Finding> {
    let whole = [check_doc(&file.text), check_length(&file.text)];
    let whole =
        whole.into_iter().flatten().map(|(line, message)| Finding::new(file, line, message));
    let lines = file.text.lines().zip(1..).flat_map(|(text, line)| {
        let messages = check_line(&file.path, text);
        messages.into_iter().map(move |message| Finding::new(file, line, message))
    });
    whole.chain(lines).collect()
}

/// The module doc comes first, or after attributes for the whole file.
fn check_doc(text: &str) -> Option<(usize, String)> {
    let first_is_inner = text.starts_with("#![");
    let documented = text.lines().any(|line| line.starts_with("//!"));
    let kept = text.starts_with("//!") || first_is_inner && documented;
    (!kept).then(|| (1, "does not begin with what the module is for (`//!`)".to_owned()))
}

fn check_length(text: &str) -> Option<(usize, String)> {
    let lines = text.lines().count();
    let message = || format!("has {lines} lines, more than {FILE_LINES_MAX}: two files in one?");
    (lines > FILE_LINES_MAX).then(|| (lines, message()))
}

fn check_line(path: &str, text: &str) -> Vec<String> {
    let (code, comment) = split_comment(text);
    let ticket = ticket(comment);
    let ticket = ticket.map(|id| format!("`{id}`: say why, not which ticket; history is git's"));
    let place = check_place(path, code);
    forbidden(WORDS, text).chain(ticket).chain(place).collect()
}

/// Where the facade puts an engine and the store that comes with it together: nobody else sees both.
const FACADE_LOGIC: [&str; 2] = ["crates/loom/src/open.rs", "crates/loom/src/import_go.rs"];

/// What code may stand in this file only elsewhere.
fn check_place(path: &str, code: &str) -> Option<String> {
    let facade = path.starts_with("crates/loom/src/") && !FACADE_LOGIC.contains(&path);
    if facade && words(code).any(|word| word == "fn") {
        return Some(
            "the facade has no logic of its own, but for open.rs and import_go.rs".to_owned(),
        );
    }
    let engine = path.strip_prefix("crates/loom-engine/src/")?;
    if engine == "record.rs" || engine.starts_with("record/") {
        return None;
    }
    let instrument =
        words(code).any(|word| word.ends_with("Counter") || word.ends_with("Histogram"));
    let says = code.contains(".log(") || instrument;
    says.then(|| "what is said about tasks is said in record.rs".to_owned())
}

/// A line's code and its comment. The `//` of an address is no comment.
fn split_comment(text: &str) -> (&str, &str) {
    let mut starts = text.match_indices("//").map(|(at, _)| at);
    let start = starts.find(|at| !text.get(..*at).is_some_and(|code| code.ends_with(':')));
    start.and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

/// The first ticket id: two capitals or more, a hyphen, a number.
fn ticket(comment: &str) -> Option<&str> {
    let mut ids = comment.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    ids.find(|id| {
        id.split_once('-').is_some_and(|(project, number)| {
            let capitals = project.len() >= 2 && project.chars().all(|c| c.is_ascii_uppercase());
            let numbered = number.starts_with(|c: char| c.is_ascii_digit());
            capitals && numbered && !STANDARDS.contains(&project)
        })
    })
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
}
