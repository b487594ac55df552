//! What goes wrong beneath, in the words of a store.

use std::path::Path;

use loom_core::StoreError;

/// SQLite's primary result codes that are told apart here.
const CORRUPT: i32 = 11;
const NOT_A_DATABASE: i32 = 26;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const FULL: i32 = 13;

/// What the trigger on `loom_batches` says.
const NOT_JOINED: &str = "loom: not joined";
const REPEATED: &str = "loom: repeated batch";

/// What an error of a batch means to whoever sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The number was used before.
    Repeated,
    /// There is no row for the instance.
    NotJoined,
    /// Something else.
    Other,
}

pub(crate) fn verdict(error: &sqlx::Error) -> Verdict {
    match error.as_database_error().map(|database| database.message()) {
        Some(REPEATED) => Verdict::Repeated,
        Some(NOT_JOINED) => Verdict::NotJoined,
        _ => Verdict::Other,
    }
}

/// The primary result code, if SQLite itself has answered.
fn code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// Waiting may help.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(BUSY | LOCKED))
}

/// SQLite has undone the commit that failed with `error`. After every other error of a commit, what
/// it wrote may still be found on disk later.
pub(crate) fn is_undone(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(BUSY | LOCKED | FULL))
}

/// The file is no database.
pub(crate) fn is_foreign(error: &sqlx::Error) -> bool {
    code(error) == Some(NOT_A_DATABASE)
}

/// What was to be done needs to write, and may not.
pub(crate) fn is_read_only(error: &sqlx::Error) -> bool {
    code(error) == Some(READ_ONLY)
}

/// The same name twice.
pub(crate) fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// An error after which nothing has been changed.
pub(crate) fn store_error(path: &Path, error: sqlx::Error) -> StoreError {
    match code(&error) {
        _ if matches!(error, sqlx::Error::PoolClosed) => StoreError::Closed,
        _ if matches!(error, sqlx::Error::Configuration(_)) => StoreError::Refused {
            path: path.to_path_buf(),
            problem: "SQLite cannot be set up as it must be".to_owned(),
            hint: "build the program with the SQLite that loom brings along".to_owned(),
            source: Some(error.into()),
        },
        Some(CORRUPT | NOT_A_DATABASE) => StoreError::Refused {
            path: path.to_path_buf(),
            problem: "the database is damaged".to_owned(),
            hint: "restore a copy, or save what can be read with `sqlite3 FILE .recover`"
                .to_owned(),
            source: Some(error.into()),
        },
        _ => StoreError::Unavailable { source: error.into() },
    }
}

/// The place cannot be used, and what to do about it.
pub(crate) fn refused(
    path: &Path,
    problem: impl Into<String>,
    hint: impl Into<String>,
) -> StoreError {
    StoreError::Refused {
        path: path.to_path_buf(),
        problem: problem.into(),
        hint: hint.into(),
        source: None,
    }
}

/// The operating system did not do what was asked of it at `path`.
pub(crate) fn refused_by_system(path: &Path, what: &str, error: std::io::Error) -> StoreError {
    StoreError::Refused {
        path: path.to_path_buf(),
        problem: format!("{what}: {error}"),
        hint: "see to it that this user may read and write there".to_owned(),
        source: Some(error.into()),
    }
}
