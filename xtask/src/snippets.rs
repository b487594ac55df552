//! `snippets`: runs what the documents show.
//!
//! Blocks of `console` are sessions: a line after `$ ` is a command, what follows is all that it
//! prints, `…` standing for any text and alone on its line for any number of lines. The commands
//! of one document share a folder. `loom` and `cargo run -- …` are the command line of this tree.
//!
//! Blocks of `rust` are doc tests: the facade includes each document that has one, and `test`
//! runs them. Here it is only checked that none was forgotten.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::markdown::{self, Block};
use crate::pattern;
use crate::print;
use crate::process::{self, Ended};
use crate::project::{File, Project};
use crate::scratch::Scratch;
use crate::verbs::no_args;

/// A command that runs longer than this does not end.
const COMMAND_SECONDS_MAX: u64 = 60;

/// Where the facade includes documents, from the project's root.
const INCLUDERS: [&str; 2] = ["crates/loom/src/doctests.rs", "crates/loom/src/lib.rs"];

/// A command of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The number of its line in the document.
    pub line: usize,
    /// What is typed, continued lines included.
    pub command: String,
    /// What must come.
    pub expected: Vec<String>,
}

/// What is done with a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Plan {
    /// A shell runs this.
    Run(String),
    /// It is left out, for this reason.
    Skip(&'static str),
}

/// Checks the documents at the root and in `docs/`.
///
/// # Errors
///
/// If a Rust block is not tested, or a session does not go as shown.
pub fn run(project: &Project, args: &[String]) -> Result {
    no_args("snippets", args)?;
    let files = project.files()?;
    let documents: Vec<&File> = files.iter().filter(|file| is_document(&file.path)).collect();
    let mut findings = untested(&documents, &files);
    let sessions = documents.iter().map(|document| (*document, session(&document.text)));
    let sessions: Vec<_> = sessions.filter(|(_, steps)| !steps.is_empty()).collect();
    if !sessions.is_empty() {
        let build = ["build", "--workspace", "--all-features", "--bin", "loom"];
        process::run(project.cargo().args(build))?;
    }
    let programs = project.metadata()?.target_directory.join("debug");
    for (document, steps) in sessions {
        findings.extend(play(&document.path, &steps, programs.as_std_path())?);
    }
    findings.iter().for_each(|finding| print::line(finding));
    if findings.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!("{} snippets went wrong", findings.len())))
}

fn is_document(path: &str) -> bool {
    let name = path.strip_prefix("docs/").unwrap_or(path);
    !name.contains('/') && Path::new(name).extension().is_some_and(|extension| extension == "md")
}

/// The documents with Rust blocks that no doc test includes.
#[must_use]
pub fn untested(documents: &[&File], files: &[File]) -> Vec<String> {
    let includers = files.iter().filter(|file| INCLUDERS.contains(&file.path.as_str()));
    let included: String = includers.map(|file| file.text.as_str()).collect();
    let missing = documents.iter().filter_map(|document| {
        let path = &document.path;
        let blocks = markdown::blocks(&document.text);
        let block = blocks.iter().find(|block| block.language == "rust")?;
        let include = format!("include_str!(\"../../../{path}\")");
        let place = INCLUDERS[0];
        (!included.contains(&include))
            .then(|| format!("{path}:{}: no test runs this; `{include}` in {place}", block.line))
    });
    missing.collect()
}

/// The commands of all `console` blocks of a document.
#[must_use]
pub fn session(document: &str) -> Vec<Step> {
    let blocks = markdown::blocks(document);
    let consoles = blocks.iter().filter(|block| block.language == "console");
    consoles.flat_map(steps).collect()
}

fn steps(block: &Block) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (at, text) in block.lines.iter().enumerate() {
        let typed = text.strip_prefix("$ ");
        match (typed, steps.last_mut()) {
            (Some(command), _) => steps.push(Step {
                line: block.line + 1 + at,
                command: command.to_owned(),
                expected: Vec::new(),
            }),
            (None, Some(step)) if step.expected.is_empty() && step.command.ends_with('\\') => {
                step.command.push('\n');
                step.command.push_str(text.strip_prefix("> ").unwrap_or(text));
            }
            (None, Some(step)) => step.expected.push(text.clone()),
            // What stands above the first command is an introduction.
            (None, None) => {}
        }
    }
    steps
}

/// What is done with `command`.
#[must_use]
pub fn plan(command: &str) -> Plan {
    let word = command.split_whitespace().next().unwrap_or_default();
    let typed = command.strip_prefix("cargo run").and_then(|rest| rest.split_once("-- "));
    match (word, typed) {
        ("cargo", Some((options, args))) if options.trim().is_empty() => {
            Plan::Run(format!("loom {args}"))
        }
        ("cargo", _) => Plan::Skip("cargo's work is checked by other verbs"),
        ("git", _) => Plan::Skip("this tree is what it would fetch"),
        ("cd", _) => Plan::Skip("each document has its folder"),
        _ => Plan::Run(command.to_owned()),
    }
}

/// Plays a session and returns what went wrong.
fn play(path: &str, steps: &[Step], programs: &Path) -> Result<Vec<String>> {
    let scratch = Scratch::new()?;
    let mut findings = Vec::new();
    let mut status = 0;
    for (at, step) in steps.iter().enumerate() {
        let shown = format!("{path}:{}: {}", step.line, step.command);
        let command = match plan(&step.command) {
            Plan::Run(command) => command,
            Plan::Skip(why) => {
                print::line(&format!("skipped {shown} ({why})"));
                continue;
            }
        };
        let asked = steps.get(at + 1).is_some_and(|next| next.command.contains("$?"));
        let ended = shell(&command, status, &scratch, programs);
        status = ended.as_ref().ok().and_then(|ended| ended.status.code()).unwrap_or(1);
        match ended.and_then(|ended| judge(step, &ended, asked)) {
            Ok(()) => print::line(&format!("ok      {shown}")),
            Err(why) => findings.push(format!("{shown}\n{why}")),
        }
    }
    Ok(findings)
}

/// Runs `command` in a shell in which the last command ended with `status`, both its streams as
/// one, as on a screen.
fn shell(command: &str, status: i32, scratch: &Scratch, programs: &Path) -> Result<Ended> {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec 2>&1\n(exit {status})\n{command}")]);
    scratch.house(&mut shell);
    shell.env("PATH", search_path(programs)?);
    process::capture(&mut shell, Duration::from_secs(COMMAND_SECONDS_MAX))
}

fn search_path(programs: &Path) -> Result<std::ffi::OsString> {
    let known = env::var_os("PATH").unwrap_or_default();
    let places = std::iter::once(PathBuf::from(programs)).chain(env::split_paths(&known));
    env::join_paths(places).map_err(|error| Failure::Failed(format!("setting PATH: {error}")))
}

/// Whether a command ended as shown. Its exit code is free if the next command asks for it.
fn judge(step: &Step, ended: &Ended, status_is_asked: bool) -> Result {
    let expected: Vec<&str> = step.expected.iter().map(String::as_str).collect();
    let printed: Vec<&str> = ended.stdout.lines().collect();
    let why = if !pattern::matches(&expected, &printed) {
        "it printed something else".to_owned()
    } else if !ended.status.success() && !status_is_asked {
        format!("it ended with {}", ended.status)
    } else {
        return Ok(());
    };
    let (expected, printed) = (expected.join("\n"), printed.join("\n"));
    Err(Failure::Failed(format!("{why}\n--- expected\n{expected}\n--- printed\n{printed}\n---")))
}
