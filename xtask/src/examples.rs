//! `examples`: runs the examples and compares what they print with what they say they print.
//!
//! The doc comment at the top of an example ends in a block of the lines to be seen:
//!
//! ````text
//! //! Prints:
//! //!
//! //! ```text
//! //! hello world
//! //! took … ms
//! //! ```
//! ````
//!
//! The lines must come in this order; others may come between them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use cargo_metadata::{Metadata, TargetKind};

use crate::failure::{Failure, Result};
use crate::markdown;
use crate::pattern;
use crate::print;
use crate::process::{self, Ended};
use crate::project::Project;
use crate::scratch::Scratch;
use crate::verbs::no_args;

/// An example that runs longer than this does not end.
const EXAMPLE_SECONDS_MAX: u64 = 60;

struct Example {
    name: String,
    source: PathBuf,
    program: PathBuf,
}

/// Runs every example of the workspace in a folder of its own.
///
/// # Errors
///
/// If one does not say what it prints, fails, or prints something else.
pub fn run(project: &Project, args: &[String]) -> Result {
    no_args("examples", args)?;
    let examples = discover(&project.metadata()?);
    if examples.is_empty() {
        print::line("there are no examples");
        return Ok(());
    }
    let build = ["build", "--workspace", "--all-features", "--examples"];
    process::run(project.cargo().args(build))?;
    let wrong = examples.iter().filter(|example| !told(example)).count();
    if wrong == 0 {
        return Ok(());
    }
    Err(Failure::Failed(format!("{wrong} of {} examples went wrong", examples.len())))
}

fn discover(metadata: &Metadata) -> Vec<Example> {
    let programs = metadata.target_directory.join("debug").join("examples");
    let packages = metadata.workspace_packages();
    let targets = packages.iter().flat_map(|package| &package.targets);
    let mut examples: Vec<Example> = targets
        .filter(|target| target.is_kind(TargetKind::Example))
        .map(|target| Example {
            name: target.name.clone(),
            source: target.src_path.clone().into(),
            program: programs
                .join(format!("{}{}", target.name, std::env::consts::EXE_SUFFIX))
                .into(),
        })
        .collect();
    examples.sort_by(|one, other| one.name.cmp(&other.name));
    examples
}

/// Tries an example and says how it went.
fn told(example: &Example) -> bool {
    let started = Instant::now();
    let tried = try_one(&example.source, &example.program);
    let seconds = started.elapsed().as_secs_f64();
    match &tried {
        Ok(()) => print::line(&format!("ok      {}  {seconds:.1} s", example.name)),
        Err(why) => print::line(&format!("FAILED  {}\n{why}", example.name)),
    }
    tried.is_ok()
}

fn try_one(source: &Path, program: &Path) -> Result {
    let text = fs::read_to_string(source);
    let text =
        text.map_err(|error| Failure::io(format!("reading {}", source.display()), &error))?;
    let expected = expected(&text).ok_or_else(|| {
        Failure::Failed("its doc comment has no `Prints:` with a block of text under it".to_owned())
    })?;
    let scratch = Scratch::new()?;
    let mut command = Command::new(program);
    scratch.house(&mut command);
    let ended = process::capture(&mut command, Duration::from_secs(EXAMPLE_SECONDS_MAX))?;
    judge(&expected, &ended)
}

/// The lines that an example says it prints: those of the block under `Prints:` in the doc comment
/// at its top.
#[must_use]
pub fn expected(source: &str) -> Option<Vec<String>> {
    let header = source
        .lines()
        .skip_while(|line| !line.starts_with("//!"))
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line));
    let header: Vec<&str> = header.collect();
    let announced = |line: usize| {
        let mut above = header.iter().take(line - 1).rev();
        above.find(|text| !text.trim().is_empty()).is_some_and(|text| text.trim() == "Prints:")
    };
    let blocks = markdown::blocks(&header.join("\n"));
    let block = blocks.into_iter().find(|block| block.language == "text" && announced(block.line));
    block.map(|block| block.lines).filter(|lines| !lines.is_empty())
}

fn judge(expected: &[String], ended: &Ended) -> Result {
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    let printed: Vec<&str> = ended.stdout.lines().collect();
    let why = match pattern::in_order(&expected, &printed) {
        _ if !ended.status.success() => format!("it ended with {}", ended.status),
        Ok(()) => return Ok(()),
        Err(missing) => format!("it did not print `{missing}`, or not where it belongs"),
    };
    let (stdout, stderr) = (ended.stdout.trim_end(), ended.stderr.trim_end());
    Err(Failure::Failed(format!("{why}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---")))
}
