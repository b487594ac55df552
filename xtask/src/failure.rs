//! How a verb ends badly.

use std::fmt;
use std::io;

/// What a verb returns.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// Why a verb did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// It was asked for in a way that it does not understand.
    Usage(String),
    /// It found something wrong, or could not do its work.
    Failed(String),
}

impl Failure {
    /// The exit code of the process: 2 for a wrong question, 1 for a bad answer.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
        }
    }

    /// An operation of the system that failed, with what was being done.
    #[must_use]
    pub fn io(doing: impl fmt::Display, error: &io::Error) -> Self {
        Self::Failed(format!("{doing}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Failure {}
