//! From what was typed to the task and its command.

use std::path::Path;

use loom::workers::{Command, CommandLine, Resolver, Stdin, command_request};
use loom::{EnvValue, Task, TaskRequest, WorkerError};
use tokio::io::AsyncReadExt;

use super::COMMAND;
use crate::args::RunArgs;
use crate::failure::Failure;

/// The longest input that is taken from our standard input.
const STDIN_BYTES_MAX: u64 = 64 << 20;

/// The task that the arguments ask for.
pub(super) fn request(args: &RunArgs) -> Result<TaskRequest, Failure> {
    let mut request = command_request(COMMAND, args.command.iter().map(String::as_str))
        .project(&args.project)
        .cwd(directory(args.cwd.as_deref())?)
        .max_retries(args.retries);
    request.timeout = args.timeout;
    for variable in &args.env {
        request = match variable.split_once('=') {
            Some((name, value)) => request.env(name, value),
            None => request.env(variable, EnvValue::from_host(variable)),
        };
    }
    Ok(request)
}

/// The directory as an absolute path, so that `show` tells where it was.
fn directory(asked: Option<&Path>) -> Result<String, Failure> {
    let here = std::env::current_dir().map_err(|error| {
        Failure::new("no_directory", format!("cannot tell the current directory: {error}"))
            .hint("name one with --cwd DIR")
    })?;
    let path = asked.map_or_else(|| here.clone(), |asked| here.join(asked));
    path.into_os_string().into_string().map_err(|path| {
        let what = format!("the directory {} is not UTF-8", Path::new(&path).display());
        Failure::new("invalid", what).hint("name another with --cwd DIR")
    })
}

/// What the command is to read.
pub(super) async fn stdin(asked: Option<&Path>) -> Result<Stdin, Failure> {
    match asked {
        None => Ok(Stdin::Null),
        Some(path) if path.as_os_str() == "-" => ours().await,
        Some(path) if path.is_file() => Ok(Stdin::File(path.to_owned())),
        Some(path) => {
            let what = format!("there is no file {} to be the input", path.display());
            Err(Failure::new("invalid", what).hint("name a file, or - for standard input"))
        }
    }
}

/// Our standard input, whole: an attempt that is repeated reads it again.
async fn ours() -> Result<Stdin, Failure> {
    let mut bytes = Vec::new();
    let read = tokio::io::stdin().take(STDIN_BYTES_MAX + 1).read_to_end(&mut bytes).await;
    read.map_err(|error| Failure::new("invalid", format!("cannot read standard input: {error}")))?;
    if bytes.len() as u64 > STDIN_BYTES_MAX {
        return Err(Failure::new("invalid", "standard input has more than 64 MiB")
            .hint("put it into a file and name that with --stdin FILE"));
    }
    Ok(Stdin::Text(bytes))
}

/// Runs what the task says, in our environment, with that input.
pub(super) fn resolver(stdin: Stdin) -> impl Resolver {
    move |task: &Task| -> Result<Command, WorkerError> {
        Ok(CommandLine.resolve(task)?.stdin(stdin.clone()))
    }
}
