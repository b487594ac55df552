//! What is wrong with a profile, or with a task that one cannot be applied to.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use loom_core::{FailureCode, WorkerError, WorkerResult};

use crate::keys;

/// Why a text is no profile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("cannot read the profile {path:?}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The text is no TOML, or says something that profiles do not know.
    #[error("the profile cannot be understood, from line {line} on: {message}")]
    Toml {
        /// The line, counting from 1. What stands there is not repeated: it may be a secret.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// The profile names no program.
    #[error("the profile {0:?} names no program; add `program = \"…\"`")]
    NoProgram(String),
    /// An argument is not as it should be.
    #[error("the argument {argument:?} {problem}")]
    Argument {
        /// The argument.
        argument: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The prompt is handed over in a way that the arguments do not provide for.
    #[error("{0}")]
    Prompt(&'static str),
    /// A pattern does not compile, or would become too large.
    #[error("cannot use the pattern {pattern:?}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A path into an event is none.
    #[error("the path {0:?} into an event must begin with `/`, or be empty for all of it")]
    Path(String),
    /// A variable cannot be passed on or set.
    #[error("the variable {name:?} {problem}")]
    Variable {
        /// The variable, or the pattern of names.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Why a task cannot be made a command of. Values are never shown: they may be secrets.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error("no profile for the tool {asked:?}; there are: {known}")]
    UnknownCli { asked: String, known: String },
    #[error(
        "the profile `{profile}` has no place for the task's {field}; leave it out, or add `{{{field}}}` to its arguments"
    )]
    NoPlace { profile: String, field: &'static str },
    #[error(
        "the task's {hole} begins with `-` and would pass for an option; change it, or have the \
         profile write it as `--name={{{hole}}}` or after `--`"
    )]
    LooksLikeOption { hole: String },
    #[error("the task's {0} holds a NUL byte, which no argument can hold")]
    Nul(String),
    #[error("the task's {0} is neither text, number nor truth value, and cannot be an argument")]
    NoText(String),
    #[error(
        "an argument with the task's {hole} has {bytes} bytes, and the system takes at most {max}; \
         have the profile hand over long texts with `prompt = \"stdin\"` or `prompt = \"file\"`"
    )]
    ArgumentTooLong { hole: String, bytes: usize, max: usize },
    #[error("the variable {name} has {bytes} bytes, and the system takes at most {max}")]
    VariableTooLong { name: String, bytes: usize, max: usize },
    #[error(
        "arguments and variables have {bytes} bytes together, and the system takes at most {max}; \
         have the profile hand over long texts with `prompt = \"stdin\"` or `prompt = \"file\"`"
    )]
    TooLong { bytes: usize, max: usize },
    #[error("a task may not set {0} for a tool; have the profile set it if it must be")]
    Variable(String),
    #[error("cannot write the file that is to hold the prompt")]
    PromptFile(#[source] io::Error),
}

impl Unfit {
    /// The error of an attempt that ends with this.
    pub(super) fn into_worker_error(self) -> WorkerError {
        WorkerError::from(self)
            .with_code(FailureCode::SpawnFailed)
            .with_output(WorkerResult::default().with(keys::SPAWN_ERROR, "cannot_run"))
    }
}
