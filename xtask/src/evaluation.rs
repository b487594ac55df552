//! Runs a program of `loom-proof` that measures something on a file of labelled texts.

use crate::failure::{Failure, Result};
use crate::project::Project;

/// Runs `program` on the file that `args` name: `FILE [--show]`. It prints `name value` a line.
///
/// # Errors
///
/// If there is not one file, or it cannot be used.
pub fn run(project: &Project, program: &str, args: &[String]) -> Result {
    let (shows, files): (Vec<&String>, Vec<_>) = args.iter().partition(|arg| *arg == "--show");
    let [file] = files.as_slice() else {
        return Err(Failure::Usage(format!("usage: cargo xtask {program} FILE [--show]")));
    };
    // The path is meant as seen from where the user stands, not from the project's root.
    let path =
        std::path::absolute(file).map_err(|error| Failure::io("finding the file", &error))?;
    let mut cargo = project.cargo();
    cargo.args(["run", "--quiet", "--package", "loom-proof", "--bin", program, "--"]);
    let status = cargo.arg(path).args(shows).status();
    let status = status.map_err(|error| Failure::io(format!("running {program}"), &error))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(2) => Err(Failure::Usage(format!("{program} cannot use {file}"))),
        _ => Err(Failure::Failed(format!("{program} failed ({status})"))),
    }
}
