//! `docs`: the API documentation.

use crate::failure::Result;
use crate::process;
use crate::project::Project;
use crate::verbs::no_args;

/// Builds the documentation; a broken link is an error.
///
/// # Errors
///
/// If rustdoc has a warning.
pub fn run(project: &Project, args: &[String]) -> Result {
    no_args("docs", args)?;
    let mut cargo = project.cargo();
    cargo.args(["doc", "--workspace", "--no-deps", "--all-features"]);
    process::run(cargo.env("RUSTDOCFLAGS", "-D warnings"))
}
