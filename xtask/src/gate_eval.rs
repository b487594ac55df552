//! `gate-eval`: how well the quality gate knows messages of rate limits.

use crate::evaluation;
use crate::failure::Result;
use crate::project::Project;

/// Runs the evaluation on a file of texts that say whether they are such messages.
///
/// # Errors
///
/// If the file cannot be used.
pub fn run(project: &Project, args: &[String]) -> Result {
    evaluation::run(project, "gate-eval", args)
}
