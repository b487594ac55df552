//! `redact-eval`: whether redaction takes out every secret, and nothing else.

use crate::evaluation;
use crate::failure::Result;
use crate::project::Project;

/// Runs the evaluation on a file of texts with known secrets.
///
/// # Errors
///
/// If the file cannot be used.
pub fn run(project: &Project, args: &[String]) -> Result {
    evaluation::run(project, "redact-eval", args)
}
