//! Tasks that say themselves what to run.

use std::path::Path;

use loom_core::limits::NAME_BYTES_MAX;
use loom_core::{Task, TaskRequest, WorkerError, WorkerType, first_bytes};
use serde_json::Value;

use crate::command::{Command, Resolver};
use crate::keys;
use crate::start_error::StartError;

/// Runs what a task's metadata names under [`keys::ARGV`]: a program and its arguments.
///
/// [`command_request`] makes such tasks.
#[derive(Clone, Copy, Debug, Default)]
pub struct CommandLine;

impl Resolver for CommandLine {
    fn resolve(&self, task: &Task) -> Result<Command, WorkerError> {
        let argv = task.metadata.get(keys::ARGV).and_then(texts);
        match argv.as_deref() {
            Some([program, args @ ..]) => Ok(Command::new(*program).args(args)),
            _ => Err(StartError::NoArgv.into_worker_error()),
        }
    }
}

/// The texts of a list that holds nothing else.
fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

/// Asks for a command to be run: a program and its arguments, which reach it as they are.
///
/// The prompt becomes the command as a line that people can read and paste into a shell; what is run
/// stands in the metadata, under [`keys::ARGV`]. A request without a program is taken, and its task
/// fails.
///
/// ```
/// use loom_workers::command_request;
///
/// let request = command_request("command", ["sh", "-c", "echo hi"]);
/// assert_eq!(request.prompt, "sh -c 'echo hi'");
/// assert_eq!(request.cli.as_deref(), Some("sh"));
/// ```
pub fn command_request<A: Into<String>>(
    worker_type: impl Into<WorkerType>,
    argv: impl IntoIterator<Item = A>,
) -> TaskRequest {
    let argv: Vec<String> = argv.into_iter().map(Into::into).collect();
    let request = TaskRequest::new(worker_type, line(&argv));
    let request = match argv.first() {
        Some(program) => request.cli(name(program)),
        None => request,
    };
    request.metadata(keys::ARGV, argv)
}

/// The command as one would type it.
fn line(argv: &[String]) -> String {
    let quoter = shlex::Quoter::new().allow_nul(true);
    let words = argv.iter().map(String::as_str);
    // Quoting fails on NUL alone, which is allowed here: it is refused with a clear error later.
    quoter.join(words).unwrap_or_else(|_| argv.join(" "))
}

/// The file name of a program.
fn name(program: &str) -> &str {
    let name = Path::new(program).file_name().and_then(|name| name.to_str());
    first_bytes(name.unwrap_or(program), NAME_BYTES_MAX)
}
