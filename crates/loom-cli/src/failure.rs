//! How the command line says that something went wrong.

use loom::{Error, StoreError};

use crate::say;

/// Exit codes of the verbs that only look, and of usage errors (which `clap` reports).
const FAILED: u8 = 1;
const NOT_FOUND: u8 = 3;
const STORE: u8 = 4;

/// What went wrong, why, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    /// For programs.
    word: &'static str,
    message: String,
    cause: Option<String>,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(word: &'static str, message: impl Into<String>) -> Self {
        Self { word, message: message.into(), cause: None, hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn no_task(name: &str) -> Self {
        Self::new("not_found", format!("no task {name}"))
            .hint("`loom list` shows the tasks there are")
    }

    /// The exit code of a verb that has no code of its own for this.
    pub(crate) fn code(&self) -> u8 {
        match self.word {
            "not_found" => NOT_FOUND,
            "store" | "store_refused" | "store_away" => STORE,
            _ => FAILED,
        }
    }

    pub(crate) fn print(&self) {
        say::error(&format!("{} [{}]", self.message, self.word));
        if let Some(cause) = &self.cause {
            say::note("cause", cause);
        }
        if let Some(hint) = &self.hint {
            say::note("hint", hint);
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused { path, problem, hint, source } => Self {
                word: "store_refused",
                message: format!("cannot use {} as a database: {problem}", path.display()),
                cause: source.map(|source| source.to_string()),
                hint: Some(hint),
            },
            StoreError::Unavailable { source } => Self::new("store_away", "the database is away")
                .caused_by(source.to_string())
                .hint("is another process holding it, or the disk full? nothing was changed"),
            other => Self::new("store", other.to_string()),
        }
    }
}

impl Failure {
    fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error.into(),
            Error::NotFound(task) => Self::no_task(task.as_str()),
            Error::Invalid(problem) => Self::new("invalid", problem.to_string()),
            other => Self::new("failed", other.to_string()),
        }
    }
}
