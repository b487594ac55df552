//! The judge's program: tries all cases that were asked for, several at once.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;

use crate::zoo::case::{Case, Mode, plan};
use crate::zoo::flood::{self, Measured};
use crate::zoo::keeper::{Keeper, KeeperError, Programs};
use crate::zoo::options::{self, Options};
use crate::zoo::table::{self, Outcome};
use crate::zoo::trial;
use crate::zoo::verdict::{Finding, judge};

/// Judges as the words of the command line say.
///
/// Ends with 1 if something is wrong, with 2 if the words are.
#[must_use]
pub fn main() -> ExitCode {
    let options = match options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => return complain(&error, 2),
    };
    if options.flood {
        return match flood(&options) {
            Ok(measured) if measured.is_fine() => ExitCode::SUCCESS,
            Ok(_) => complain("more memory, or less speed, than promised", 1),
            Err(error) => complain(&error.to_string(), 1),
        };
    }
    match judge_all(&options) {
        Ok(outcomes) if outcomes.iter().any(Outcome::is_failure) => ExitCode::from(1),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => complain(&error.to_string(), 1),
    }
}

/// Measures in the mode that was asked for, or in the first that there is.
fn flood(options: &Options) -> Result<Measured, KeeperError> {
    let programs = Programs::beside_me()?;
    let home = home()?;
    let modes = if options.choice.modes.is_empty() { &Mode::ALL } else { &*options.choice.modes };
    let mut missing = KeeperError::Unavailable("no mode".to_owned());
    for mode in modes {
        let home = home.path().join(mode.as_str());
        std::fs::create_dir(&home)?;
        match flood::measure(&programs, &home, *mode, options.choice.short) {
            Err(error @ KeeperError::Unavailable(_)) => missing = error,
            measured => {
                let measured = measured?;
                print(&format!("{}\n{}", mode.as_str(), measured.figures()))?;
                return Ok(measured);
            }
        }
    }
    Err(missing)
}

/// A directory for everything, removed in the end.
fn home() -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix("loom-zoo-").tempdir()
}

fn complain(error: &str, code: u8) -> ExitCode {
    // Nobody is left to be told when standard error is gone.
    let _ = writeln!(io::stderr(), "error: {error}");
    ExitCode::from(code)
}

fn judge_all(options: &Options) -> Result<Vec<Outcome>, KeeperError> {
    let programs = Programs::beside_me()?;
    let home = home()?;
    let mut outcomes = Vec::new();
    let choice = &options.choice;
    for mode in Mode::ALL {
        if !choice.modes.is_empty() && !choice.modes.contains(&mode) {
            continue;
        }
        if let Some(why) = unavailable(&programs, home.path(), mode)? {
            print(&format!("{}: not possible here: {why}\n", mode.as_str()))?;
            continue;
        }
        let tried = try_all(plan(choice, mode), options.jobs, &programs, home.path());
        print(&format!("{}\n", table::table(mode, &tried)))?;
        outcomes.extend(tried);
    }
    print(&table::findings(&outcomes))?;
    print(&table::figures(&outcomes))?;
    Ok(outcomes)
}

fn print(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

/// Why a mode cannot be tried on this machine, if it cannot.
fn unavailable(
    programs: &Programs,
    home: &Path,
    mode: Mode,
) -> Result<Option<String>, KeeperError> {
    let home = home.join(mode.as_str());
    std::fs::create_dir(&home)?;
    match Keeper::start(&programs.keeper, &home, mode) {
        Ok(_) => Ok(None),
        Err(KeeperError::Unavailable(why)) => Ok(Some(why)),
        Err(error) => Err(error),
    }
}

/// Tries the cases, so many at once, and returns how they went in their order.
fn try_all(cases: Vec<Case>, jobs: usize, programs: &Programs, home: &Path) -> Vec<Outcome> {
    let queue = Mutex::new(cases.into_iter().enumerate());
    let done = Mutex::new(Vec::new());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some((number, case)) = next() {
                    let outcome = try_one(&case, programs, home, number);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((number, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

fn try_one(case: &Case, programs: &Programs, home: &Path, number: usize) -> Outcome {
    let home = home.join(format!("{}-{number}", case.mode.as_str()));
    let made = std::fs::create_dir(&home).map_err(KeeperError::from);
    let tried = made.and_then(|()| trial::run(case, programs, &home));
    // What cannot be removed lies in a directory that is removed at the end.
    let _ = std::fs::remove_dir_all(&home);
    match tried {
        Ok(seen) => Outcome { case: *case, findings: judge(case, &seen), late: seen.late.len() },
        Err(error) => {
            let findings = vec![Finding::Trouble(error.to_string())];
            Outcome { case: *case, findings, late: 0 }
        }
    }
}
