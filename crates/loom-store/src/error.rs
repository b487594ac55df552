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
const CANNOT_OPEN: i32 = 14;

/// What went wrong beneath, whichever library has told of it.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The primary result code, if SQLite itself has answered.
    code: Option<i32>,
    kind: Kind,
    source: Box<dyn std::error::Error + Send + Sync>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Configuration,
    Duplicate,
    Other,
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        let database = error.as_database_error();
        let code = database.and_then(|error| error.code()?.parse().ok()).map(primary);
        let kind = match &error {
            sqlx::Error::Configuration(_) => Kind::Configuration,
            _ if database.is_some_and(|error| error.is_unique_violation()) => Kind::Duplicate,
            _ => Kind::Other,
        };
        Self { code, kind, source: error.into() }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().map(|error| primary(error.extended_code));
        Self { code, kind: Kind::Other, source: error.into() }
    }
}

impl From<Misshapen> for Fault {
    fn from(error: Misshapen) -> Self {
        Self { code: None, kind: Kind::Other, source: error.into() }
    }
}

/// A row does not have the form that its statement gives it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("SQLite answered in a form that its statements do not have")]
pub(crate) struct Misshapen;

/// An extended result code holds the primary one in its lowest byte.
const fn primary(code: i32) -> i32 {
    code & 0xff
}

impl Fault {
    /// Waiting may help.
    pub(crate) const fn is_busy(&self) -> bool {
        matches!(self.code, Some(BUSY | LOCKED))
    }

    /// A commit that failed so is undone, by SQLite or by the rollback that follows. After every other
    /// error of a commit, what it wrote may still be found on disk later.
    pub(crate) const fn is_undone(&self) -> bool {
        matches!(self.code, Some(BUSY | LOCKED | FULL))
    }

    /// The file is no database.
    pub(crate) fn is_foreign(&self) -> bool {
        self.code == Some(NOT_A_DATABASE)
    }

    /// What was to be done needs to write, and may not.
    pub(crate) fn is_read_only(&self) -> bool {
        self.code == Some(READ_ONLY)
    }

    /// The operating system does not let SQLite open a file as it must.
    pub(crate) fn is_closed_to_us(&self) -> bool {
        self.code == Some(CANNOT_OPEN)
    }

    /// The same name twice.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.kind == Kind::Duplicate
    }

    /// What lies beneath.
    pub(crate) fn into_source(self) -> Box<dyn std::error::Error + Send + Sync> {
        self.source
    }
}

/// An error after which nothing has been changed.
pub(crate) fn store_error(path: &Path, fault: impl Into<Fault>) -> StoreError {
    let Fault { code, kind, source } = fault.into();
    match (kind, code) {
        (Kind::Configuration, _) => StoreError::Refused {
            path: path.to_path_buf(),
            problem: "SQLite cannot be set up as it must be".to_owned(),
            hint: "build the program with the SQLite that loom brings along".to_owned(),
            source: Some(source),
        },
        (_, Some(CORRUPT | NOT_A_DATABASE)) => StoreError::Refused {
            path: path.to_path_buf(),
            problem: "the database is damaged".to_owned(),
            hint: "restore a copy, or save what can be read with `sqlite3 FILE .recover`"
                .to_owned(),
            source: Some(source),
        },
        _ => StoreError::Unavailable { source },
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
