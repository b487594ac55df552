//! `tidy`: the house rules that no other tool knows.

mod behaviours;
mod source;
mod text;
mod tree;

use std::fmt;

use crate::failure::{Failure, Result};
use crate::print;
use crate::project::{File, Project};
use crate::verbs::no_args;

/// A place where a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, from the project's root.
    pub path: String,
    /// The number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

impl Finding {
    fn new(file: &File, line: usize, message: impl Into<String>) -> Self {
        Self { path: file.path.clone(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Checks all files of the project.
///
/// # Errors
///
/// If a rule is broken somewhere.
pub fn run(project: &Project, args: &[String]) -> Result {
    no_args("tidy", args)?;
    let files = project.files()?;
    let findings = check(&files);
    if findings.is_empty() {
        print::line(&format!("{} files are tidy", files.len()));
        return Ok(());
    }
    findings.iter().for_each(|finding| print::line(&finding.to_string()));
    Err(Failure::Failed(format!("{} places are untidy", findings.len())))
}

/// Every place in `files` that breaks a rule.
#[must_use]
pub fn check(files: &[File]) -> Vec<Finding> {
    let each = files.iter().filter(|file| !is_generated(&file.path)).flat_map(|file| {
        let mut findings = text::check(file);
        if file.path.ends_with(".rs") {
            findings.extend(source::check(file));
        }
        findings
    });
    each.chain(tree::check(files)).chain(behaviours::check(files)).collect()
}

/// What may not be written, in two halves, and why. In one piece it would break its own rule.
type Words = &'static [(&'static str, &'static str, &'static str)];

fn forbidden(words: Words, text: &str) -> impl Iterator<Item = String> {
    words.iter().filter_map(move |(start, end, why)| {
        let word = format!("{start}{end}");
        text.contains(&word).then(|| format!("`{word}`: {why}"))
    })
}

/// Files that a tool writes, or whose bytes a test pins.
fn is_generated(path: &str) -> bool {
    let pinned = path.contains("/tests/") && !path.contains("/tests/it/");
    path.ends_with("Cargo.lock") || path.ends_with(".snap") || pinned && !path.ends_with(".rs")
}
