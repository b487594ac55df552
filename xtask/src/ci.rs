//! `ci`: all checks in one go.

use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};
use crate::print;
use crate::project::Project;
use crate::verbs;

/// The checks, by their verbs: those that answer at once come first.
pub const STEPS: [&str; 10] =
    ["fmt", "tidy", "layers", "lint", "test", "docs", "examples", "snippets", "bench", "zoo"];

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether a failed step ends the run or not.
    pub keep_going: bool,
    /// The steps to be left out.
    pub skip: Vec<String>,
}

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Well, in this time.
    Passed(Duration),
    /// Badly, in this time.
    Failed(Duration),
    /// It was to be left out.
    Skipped,
    /// An earlier one failed.
    NotReached,
}

/// Runs the checks and shows how long each took.
///
/// # Errors
///
/// If one of them fails.
pub fn run(project: &Project, args: &[String]) -> Result {
    let options = options(args)?;
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for name in STEPS {
        let outcome = match () {
            () if options.skip.iter().any(|skipped| skipped == name) => Outcome::Skipped,
            () if !failed.is_empty() && !options.keep_going => Outcome::NotReached,
            () => step(project, name),
        };
        if matches!(outcome, Outcome::Failed(_)) {
            failed.push(name);
        }
        rows.push(row(name, &outcome));
    }
    print::line(&format!("\n{}", print::table(&rows)));
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!("failed: {}", failed.join(", "))))
}

/// Reads the words after `ci`.
///
/// # Errors
///
/// If one of them is unknown.
pub fn options(args: &[String]) -> Result<Options> {
    let mut options = Options::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--keep-going" => options.keep_going = true,
            "--skip" => options.skip.push(known_step(args.next())?),
            other => return Err(Failure::Usage(format!("`ci` does not know `{other}`"))),
        }
    }
    Ok(options)
}

fn known_step(name: Option<&String>) -> Result<String> {
    let known = name.filter(|name| STEPS.contains(&name.as_str()));
    known.cloned().ok_or_else(|| {
        Failure::Usage(format!("`--skip` wants the name of a step: {}", STEPS.join(", ")))
    })
}

fn step(project: &Project, name: &str) -> Outcome {
    print::line(&format!("\n== {name}"));
    let started = Instant::now();
    let missing = || Err(Failure::Failed(format!("no verb does the step {name}")));
    let mut runs = words(name).iter().map(|words| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        verbs::find(name).map_or_else(missing, |verb| (verb.run)(project, &words))
    });
    let result = runs.find(Result::is_err).unwrap_or(Ok(()));
    let took = started.elapsed();
    match result {
        Ok(()) => Outcome::Passed(took),
        Err(failure) => {
            print::trouble(&format!("error: {failure}"));
            Outcome::Failed(took)
        }
    }
}

/// What the verb of a step is asked for, once for each time that it runs.
fn words(step: &str) -> &'static [&'static [&'static str]] {
    match step {
        // Figures of a machine that does other things as well say nothing.
        "bench" => &[&["--short"]],
        "zoo" => &[&["--short"], &["--flood", "--short"]],
        _ => &[&[]],
    }
}

fn row(name: &str, outcome: &Outcome) -> [String; 3] {
    let (word, took) = match outcome {
        Outcome::Passed(took) => ("ok", Some(took)),
        Outcome::Failed(took) => ("FAILED", Some(took)),
        Outcome::Skipped => ("skipped", None),
        Outcome::NotReached => ("not reached", None),
    };
    let took = took.map(|took| format!("{:>6.1} s", took.as_secs_f64()));
    [name.to_owned(), word.to_owned(), took.unwrap_or_default()]
}
