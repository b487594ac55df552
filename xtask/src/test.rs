//! `test`: every test of the workspace.

use crate::failure::{Failure, Result};
use crate::process;
use crate::project::Project;

/// Runs the tests, then the doc tests, also when the former fail: one run tells everything.
///
/// What follows `--` goes to the test programs, such as a part of a test's name.
///
/// # Errors
///
/// If a test fails.
pub fn run(project: &Project, args: &[String]) -> Result {
    if let Some(first) = args.first().filter(|first| *first != "--") {
        let hint = "names go after `--`; for one crate there is `cargo test -p CRATE`";
        return Err(Failure::Usage(format!("`test` does not know `{first}`: {hint}")));
    }
    let tests = cargo_test(project, &["--lib", "--bins", "--tests"], args);
    let doc_tests = cargo_test(project, &["--doc"], args);
    tests.and(doc_tests)
}

fn cargo_test(project: &Project, targets: &[&str], args: &[String]) -> Result {
    let mut cargo = project.cargo();
    cargo.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
    process::run(cargo.args(targets).args(args))
}
