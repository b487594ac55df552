//! What an evaluation prints: `name value` a line, and the lines judged wrong if they are asked for.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::corpus::CorpusError;

/// The outcome of an evaluation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// What was measured, by name.
    pub figures: Vec<(&'static str, String)>,
    /// What was judged wrong, a paragraph each.
    pub wrong: Vec<String>,
}

/// Runs an evaluation with the words of the command line: `FILE [--show]`.
///
/// Ends with 2 if they are wrong or the file cannot be used.
pub fn main(name: &str, evaluate: impl Fn(&Path) -> Result<Report, CorpusError>) -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (shows, files): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word == "--show");
    let [file] = files.as_slice() else {
        return refuse(&format!("usage: {name} FILE [--show]"));
    };
    match evaluate(Path::new(file)) {
        Ok(report) => print(&report, !shows.is_empty()),
        Err(error) => refuse(&format!("error: {error}")),
    }
}

fn refuse(message: &str) -> ExitCode {
    // Nobody is left to be told when standard error is gone.
    let _ = writeln!(io::stderr(), "{message}");
    ExitCode::from(2)
}

fn print(report: &Report, shows: bool) -> ExitCode {
    let mut out = io::stdout().lock();
    let wrong = report.wrong.iter().filter(|_| shows).map(|text| format!("{text}\n"));
    let figures = report.figures.iter().map(|(name, value)| format!("{name} {value}\n"));
    for line in wrong.chain(figures) {
        // A reader who has gone away has seen enough.
        if out.write_all(line.as_bytes()).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}
