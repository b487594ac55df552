//! A connection to SQLite: how it is opened, and how a text is run on it.

use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow, SqliteSynchronous};
use sqlx::{
    Arguments, ConnectOptions, Connection, Either, Encode, Executor, Row, Sqlite, SqliteConnection,
    Type,
};

use crate::options::Durability;
use crate::sql::{self, Text};

/// Pages that the write-ahead log may hold before a commit carries them over to the database.
/// SQLite's own 1,000 makes commits stop for it four times as often.
const CHECKPOINT_PAGES: i64 = 4000;

/// What a connection that writes keeps of the database, in KiB: so much that a commit of a thousand
/// tasks that lie far apart need not put pages aside before it is done.
const WRITER_CACHE_KIB: i64 = 8 << 10;

/// What a connection that reads keeps, in KiB: what SQLite sets by itself. With eight times as much,
/// reads of ten million tasks were slower: what the system keeps of the file is nearer than memory
/// that is seldom touched, and every commit empties this cache.
const READER_CACHE_KIB: i64 = 2000;

/// Rows on their way from a connection's thread; beyond it the thread waits for the reader.
const ROWS_BUFFERED_MAX: usize = 4096;

/// The longest wait for a lock that SQLite can be asked for.
const BUSY_TIMEOUT_MAX: Duration = Duration::from_millis(i32::MAX as u64);

/// Where a connection leads, and how it behaves.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    connect: SqliteConnectOptions,
    expected: Expected,
}

/// What the pragmas must read after they were set.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Expected {
    /// `None` before the database has been brought to it.
    journal_mode: Option<&'static str>,
    synchronous: i64,
    busy_timeout: i64,
    /// Less than zero: in KiB, not in pages.
    cache_size: i64,
}

impl Options {
    pub(crate) fn file(path: &Path, durability: Durability, busy_timeout: Duration) -> Self {
        let connect = SqliteConnectOptions::new().filename(path).create_if_missing(false);
        Self::new(connect, durability, busy_timeout, "wal")
    }

    /// A database that lives as long as its connection, and that no other connection can see.
    pub(crate) fn memory(durability: Durability, busy_timeout: Duration) -> Self {
        let connect = SqliteConnectOptions::new().filename(":memory:");
        Self::new(connect, durability, busy_timeout, "memory")
    }

    fn new(
        connect: SqliteConnectOptions,
        durability: Durability,
        busy_timeout: Duration,
        journal_mode: &'static str,
    ) -> Self {
        let (synchronous, level) = match durability {
            Durability::Full => (SqliteSynchronous::Full, 2),
            Durability::Normal => (SqliteSynchronous::Normal, 1),
        };
        let busy_timeout = busy_timeout.min(BUSY_TIMEOUT_MAX);
        let connect = connect
            .busy_timeout(busy_timeout)
            .synchronous(synchronous)
            .foreign_keys(true)
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON")
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
            .pragma("cache_size", (-WRITER_CACHE_KIB).to_string())
            .row_buffer_size(ROWS_BUFFERED_MAX)
            .disable_statement_logging();
        let expected = Expected {
            journal_mode: Some(journal_mode),
            synchronous: level,
            busy_timeout: i64::try_from(busy_timeout.as_millis()).unwrap_or(i64::MAX),
            cache_size: -WRITER_CACHE_KIB,
        };
        Self { connect, expected }
    }

    /// For the first look at a database, which may not be in WAL mode yet.
    pub(crate) fn before_wal(mut self) -> Self {
        self.expected.journal_mode = None;
        self
    }

    pub(crate) fn read_only(mut self) -> Self {
        let cache_size = -READER_CACHE_KIB;
        self.connect = self.connect.read_only(true).pragma("cache_size", cache_size.to_string());
        self.expected.cache_size = cache_size;
        self
    }

    /// Opens a connection and checks that it is as asked for.
    pub(crate) async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        let mut connection = self.connect.connect().await?;
        self.check(&mut connection).await?;
        Ok(connection)
    }

    /// Reads every pragma back: one that SQLite did not take is an error.
    async fn check(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let parts = run(connection, sql::PRAGMAS, Args::default()).await?;
        let [mode, numbers @ ..] = parts.as_slice() else {
            return Err(sqlx::Error::WorkerCrashed);
        };
        let mode: String = mode.one()?.try_get(0)?;
        if self.expected.journal_mode.is_some_and(|expected| expected != mode) {
            return Err(not_taken("journal_mode", &mode));
        }
        let expected = [
            ("synchronous", self.expected.synchronous),
            ("foreign_keys", 1),
            ("busy_timeout", self.expected.busy_timeout),
            ("trusted_schema", 0),
            ("cell_size_check", 1),
            ("wal_autocheckpoint", CHECKPOINT_PAGES),
            ("cache_size", self.expected.cache_size),
        ];
        for ((name, expected), part) in expected.into_iter().zip(numbers) {
            let value: i64 = part.one()?.try_get(0)?;
            if value != expected {
                return Err(not_taken(name, &value.to_string()));
            }
        }
        Ok(())
    }
}

fn not_taken(pragma: &str, value: &str) -> sqlx::Error {
    let why = format!("SQLite did not take the pragma {pragma}: it reads {value}");
    sqlx::Error::Configuration(why.into())
}

/// What one statement of a text has answered.
#[derive(Default)]
pub(crate) struct Part {
    pub(crate) rows: Vec<SqliteRow>,
    /// How many rows it has written.
    pub(crate) changes: u64,
}

impl Part {
    /// The only row of a statement that always has one.
    pub(crate) fn one(&self) -> Result<&SqliteRow, sqlx::Error> {
        self.rows.first().ok_or(sqlx::Error::RowNotFound)
    }
}

/// Runs the statements of `text` one after the other, up to the first that fails.
pub(crate) async fn run(
    connection: &mut SqliteConnection,
    text: Text,
    args: Args,
) -> Result<Vec<Part>, sqlx::Error> {
    let mut parts = Vec::with_capacity(text.statements);
    let values = args.into_values()?;
    let mut rows = Vec::new();
    let mut answers = connection.fetch_many(sqlx::query_with(text.sql, values));
    loop {
        match answers.try_next().await? {
            Some(Either::Right(row)) => rows.push(row),
            Some(Either::Left(done)) => {
                let changes = done.rows_affected();
                parts.push(Part { rows: std::mem::take(&mut rows), changes });
            }
            None if parts.len() == text.statements => return Ok(parts),
            // The answers of a thread that has died end like those of one that is done.
            None => return Err(sqlx::Error::WorkerCrashed),
        }
    }
}

/// Runs a text of one statement; its answer.
pub(crate) async fn run_one(
    connection: &mut SqliteConnection,
    text: Text,
    args: Args,
) -> Result<Part, sqlx::Error> {
    let mut parts = run(connection, text, args).await?;
    parts.pop().ok_or(sqlx::Error::WorkerCrashed)
}

/// Closes a connection; what goes wrong then is of no consequence.
pub(crate) async fn close(connection: SqliteConnection) {
    let _ = connection.close().await;
}

/// The arguments of a text, in the order of their numbers.
#[derive(Clone, Default)]
pub(crate) struct Args {
    values: SqliteArguments,
    /// Why a value could not be taken.
    fault: Option<String>,
}

impl Args {
    pub(crate) fn with<'t, T: Encode<'t, Sqlite> + Type<Sqlite>>(mut self, value: T) -> Self {
        if let Err(error) = self.values.add(value) {
            self.fault = Some(error.to_string());
        }
        self
    }

    fn into_values(self) -> Result<SqliteArguments, sqlx::Error> {
        match self.fault {
            Some(fault) => Err(sqlx::Error::Encode(fault.into())),
            None => Ok(self.values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn checked(set: &Options, expected: &Options) -> Result<(), sqlx::Error> {
        expected.check(&mut set.connect().await?).await
    }

    #[tokio::test]
    async fn a_pragma_that_was_not_taken_is_noticed() {
        let long = Duration::from_secs(5);
        let full = Options::memory(Durability::Full, long);
        let normal = Options::memory(Durability::Normal, long);
        let hasty = Options::memory(Durability::Full, Duration::ZERO);
        let mut file = full.clone();
        file.expected.journal_mode = Some("wal");
        let wrong = [(&normal, "synchronous"), (&hasty, "busy_timeout"), (&file, "journal_mode")];
        for (expected, pragma) in wrong {
            let error = checked(&full, expected).await.unwrap_err().to_string();
            assert!(error.contains(pragma), "{error}");
        }
        for options in [full, normal, hasty] {
            checked(&options, &options).await.unwrap();
        }
    }
}
