//! Why a source cannot be read, and what to do about it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use loom_core::StoreError;

use crate::error::{self, store_error};
use crate::place;

/// What to do where the file is not the one that was meant.
const NAME_IT: &str = "name the file that the Go program was given for its tasks";

/// What to do where this user has no right to the file.
const LET_READ: &str = "see to it that this user may read it and what is beside it";

/// Why a source cannot be read.
pub(super) enum Fault {
    Sqlite(error::Fault),
    /// The operating system does not let the source be read.
    Unreadable(io::Error),
    /// It would have to be read as a copy, which cannot be made here.
    NoCopy(PathBuf, io::Error),
    Refused(StoreError),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlite(error.into())
    }
}

impl Fault {
    /// The same, as the error of a store.
    pub(super) fn of(self, path: &Path) -> StoreError {
        match self {
            Self::Sqlite(fault) => of_sqlite(path, fault),
            Self::Unreadable(error) if error.kind() == ErrorKind::NotFound => {
                refused(path, "there is no such file", NAME_IT, error)
            }
            Self::Unreadable(error) => {
                let problem = denied(path).unwrap_or_else(|| format!("it cannot be read: {error}"));
                refused(path, problem, LET_READ, error)
            }
            Self::NoCopy(directory, error) => {
                let problem = format!(
                    "it has to be copied to be read, which fails in {}: {error}",
                    directory.display()
                );
                let hint = "see to it that this user may write there and that there is room, or \
                            name another directory with the variable TMPDIR";
                refused(path, problem, hint, error)
            }
            Self::Refused(error) => error,
        }
    }
}

fn of_sqlite(path: &Path, fault: error::Fault) -> StoreError {
    if fault.is_foreign() {
        return refused(path, "the file is no SQLite database", NAME_IT, fault.into_source());
    }
    if fault.is_busy() {
        let hint = "stop the Go program first, then import again";
        return refused(path, "another program has locked it", hint, fault.into_source());
    }
    if fault.is_closed_to_us() {
        let problem = denied(path).unwrap_or_else(|| "SQLite cannot open it".to_owned());
        return refused(path, problem, LET_READ, fault.into_source());
    }
    store_error(path, fault)
}

/// Which file this user may not read, if that is what is wrong.
fn denied(path: &Path) -> Option<String> {
    let database = fs::canonicalize(path).ok()?;
    let file = place::denied(&database, place::is_readable)?;
    Some(format!("this user may not read {}", file.display()))
}

fn refused(
    path: &Path,
    problem: impl Into<String>,
    hint: &str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Refused {
        path: path.to_path_buf(),
        problem: problem.into(),
        hint: hint.to_owned(),
        source: Some(source.into()),
    }
}
