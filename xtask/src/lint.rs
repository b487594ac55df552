//! `fmt` and `lint`: what rustfmt and clippy have to say.

use std::io::{IsTerminal as _, stdout};

use crate::failure::Result;
use crate::process;
use crate::project::Project;
use crate::verbs::no_args;

/// The feature sets of the facade that must also compile, beside all of them.
const FACADE_FEATURES: [&[&str]; 6] = [
    &[],
    &["--features=sqlite"],
    &["--features=subprocess"],
    &["--features=http"],
    &["--features=profiles"],
    &["--features=testing"],
];

/// The workspaces.
const MANIFESTS: [&str; 3] =
    ["Cargo.toml", "benches/Cargo.toml", "benches/peers/effectum-peer/Cargo.toml"];

const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

/// Checks the format.
///
/// # Errors
///
/// If a file is not formatted.
pub fn fmt(project: &Project, args: &[String]) -> Result {
    no_args("fmt", args)?;
    // Left to itself, rustfmt paints what it shows also when it shows it to a file.
    let color = if stdout().is_terminal() { "auto" } else { "never" };
    for manifest in MANIFESTS {
        let mut cargo = project.cargo();
        cargo.args(["fmt", "--all", "--check", "--manifest-path", manifest]);
        process::run(cargo.args(["--", "--color", color]))?;
    }
    Ok(())
}

/// Runs clippy over everything, then over the facade with features off.
///
/// Warnings are denied through clippy, not through `RUSTFLAGS`: those would have every
/// dependency built again.
///
/// # Errors
///
/// If there is a warning.
pub fn run(project: &Project, args: &[String]) -> Result {
    no_args("lint", args)?;
    let everything = ["clippy", "--workspace", "--all-targets", "--all-features"];
    process::run(project.cargo().args(everything).args(DENY_WARNINGS))?;
    for features in FACADE_FEATURES {
        let facade = ["clippy", "--package", "loom", "--no-default-features"];
        process::run(project.cargo().args(facade).args(features).args(DENY_WARNINGS))?;
    }
    Ok(())
}
