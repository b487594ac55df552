//! Why a command was not started.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use loom_core::{FailureCode, WorkerError, WorkerResult};
use rustix::io::Errno;

use crate::command::Command;
use crate::keys;
use crate::tree_mode::TreeUnavailable;

/// Why a command was not started. Nothing of it runs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(
        "the task names no command: its metadata needs `argv`, a list of texts that begins with \
         the program"
    )]
    NoArgv,
    #[error("the command has no program")]
    NoProgram,
    #[error("{0} holds a NUL byte, which no command can take")]
    Nul(&'static str),
    #[error("{0:?} cannot be the name of a variable")]
    VariableName(String),
    #[error("the value of the variable {0} is of a kind that commands cannot be given")]
    VariableKind(String),
    #[error(
        "the variable {name} is to be the host's {source_name}, which is not set; set it where loom runs"
    )]
    NotOnHost { name: String, source_name: String },
    #[error(
        "a task may not set {0}, which chooses code to load; set it in the worker, or take it from the host"
    )]
    Loader(String),
    #[error(transparent)]
    Tree(TreeUnavailable),
    #[error("cannot work in {cwd:?}")]
    Cwd { cwd: PathBuf, source: io::Error },
    #[error("cannot read standard input from {path:?}")]
    Stdin { path: PathBuf, source: io::Error },
    #[error("cannot find the program {program:?}")]
    NotFound { program: OsString, source: io::Error },
    #[error("cannot run {program:?}")]
    CannotRun { program: OsString, source: io::Error },
}

impl StartError {
    /// Why the system would not start `command`.
    pub(crate) fn of(command: &Command, source: io::Error) -> Self {
        let program = command.program.clone();
        if source.kind() == io::ErrorKind::NotFound && !exists(command) {
            Self::NotFound { program, source }
        } else {
            Self::CannotRun { program, source }
        }
    }

    /// The error of an attempt that ends with this.
    pub(crate) fn into_worker_error(self) -> WorkerError {
        let word = match self {
            Self::NotFound { .. } => "not_found",
            _ => "cannot_run",
        };
        let may_pass = self.may_pass();
        let error = WorkerError::from(self);
        let error = if may_pass { WorkerError::transient(error.message()) } else { error };
        error
            .with_code(FailureCode::SpawnFailed)
            .with_output(WorkerResult::default().with(keys::SPAWN_ERROR, word))
    }

    /// Whether the machine was short of something that it may have again soon.
    fn may_pass(&self) -> bool {
        match self {
            Self::CannotRun { source, .. } => {
                is_short(source) || source.kind() == io::ErrorKind::TimedOut
            }
            Self::Tree(tree) => tree.may_pass,
            _ => false,
        }
    }
}

/// Whether the machine was short of something.
pub(crate) fn is_short(error: &io::Error) -> bool {
    const SHORT: [Errno; 5] =
        [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE, Errno::TXTBSY];
    Errno::from_io_error(error).is_some_and(|error| SHORT.contains(&error))
}

/// Whether the program is a file, so that what was not found is the interpreter that it names.
fn exists(command: &Command) -> bool {
    let program = Path::new(&command.program);
    let cwd = command.cwd.as_deref().unwrap_or(Path::new(""));
    program.components().count() > 1 && cwd.join(program).exists()
}
