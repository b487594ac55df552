//! Rules for every text file.

use super::{Finding, Words, forbidden};
use crate::project::File;

/// What no file may say.
const WORDS: Words = &[
    ("TO", "DO", "an intention is no code: do it, or leave it out"),
    ("FIX", "ME", "an intention is no code: do it, or leave it out"),
    ("/wo", "rk/", "a path of somebody's machine"),
    (".lib", "rary", "a tool of somebody's machine"),
    ("crates", ".io", "the host of a registry; nothing here is published"),
];

pub(super) fn check(file: &File) -> Vec<Finding> {
    // Split at `\n` alone, so that a `\r` before it shows as the blank it is.
    let lines = file.text.split('\n').zip(1..).flat_map(|(text, line)| {
        let blank = text.ends_with(char::is_whitespace).then(|| "ends in blanks".to_owned());
        let messages: Vec<String> = blank.into_iter().chain(forbidden(WORDS, text)).collect();
        messages.into_iter().map(move |message| Finding::new(file, line, message))
    });
    lines.chain(check_end(file)).collect()
}

fn check_end(file: &File) -> Option<Finding> {
    let message = match file.text.as_str() {
        "" => return None,
        text if text.ends_with("\n\n") => "ends in an empty line",
        text if text.ends_with('\n') => return None,
        _ => "does not end its last line",
    };
    Some(Finding::new(file, file.text.lines().count(), message))
}
