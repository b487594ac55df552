//! Databases that the Go library has written: read, and never changed.

mod cells;
mod exact;
mod fault;
mod row;
mod source;
mod time;

use std::fmt;
use std::path::{Path, PathBuf};

use futures_util::TryStreamExt;
use loom_core::{Imported, StoreError};
use loom_deps::Timestamp;
use sqlx::{Row, SqliteConnection};
use tempfile::TempDir;

use crate::connection::{self, Args, run_one};
use crate::error::refused;
use crate::sql;

use fault::Fault;

/// Rows in a page.
const PAGE_ROWS_MAX: usize = 1000;
/// Bytes that a page's rows hold, beyond which it takes no further row.
const PAGE_BYTES_MAX: usize = 8 << 20;

/// A database that the Go library has written, of any of its versions; its tasks come in pages.
///
/// The file is only read, and nothing is made beside it. If it has a write-ahead log that no
/// running program has open, or a journal of a program that died, a copy in the directory for
/// temporary files is read in its place. While a Go program runs on the file its tasks change under the
/// import: stop it first.
///
/// ```no_run
/// # async fn read(now: loom_deps::Timestamp) -> Result<(), loom_core::StoreError> {
/// let mut database = loom_store::GoDatabase::open("go.db").await?;
/// while let Some(page) = database.page(now).await? {
///     println!("{} tasks, {} that cannot be read", page.tasks.len(), page.unreadable.len());
/// }
/// # Ok(()) }
/// ```
pub struct GoDatabase {
    path: PathBuf,
    connection: SqliteConnection,
    unnamed: String,
    /// The first row of the next page; `None` behind the last.
    next: Option<i64>,
    /// What is read in place of the file, if it is not the file itself. Gone with this value.
    _copy: Option<TempDir>,
}

/// Tasks of a Go database, in the order in which they were made there.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct GoPage {
    /// Those that can be imported.
    pub tasks: Vec<Imported>,
    /// Those that cannot: the database still has them.
    pub unreadable: Vec<GoUnreadable>,
}

/// A row of a Go database that is no task that can be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GoUnreadable {
    /// The id that it has there, or which row it is.
    pub id: String,
    /// What cannot be understood. Never holds what stands in the row but its id.
    pub why: String,
}

impl GoDatabase {
    /// Opens the database at `path`.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if there is no such file, if it is no database of the Go library, if a
    /// program has it locked, or if it cannot be read.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let source::Opened { mut connection, copy, is_frozen } = source::open(path).await?;
        if is_frozen {
            let begun = run_one(&mut connection, sql::GO_SNAPSHOT, Args::default()).await;
            begun.map_err(|error| Fault::from(error).of(path))?;
        }
        Ok(Self {
            path: path.to_path_buf(),
            connection,
            unnamed: String::new(),
            next: Some(i64::MIN),
            _copy: copy,
        })
    }

    /// Sets the engine that tasks without the name of one get; v0.1 of the Go library has no such
    /// names. Default: they keep the empty name, and no engine runs them.
    #[must_use]
    pub fn unnamed_engine(mut self, name: impl Into<String>) -> Self {
        self.unnamed = name.into();
        self
    }

    /// How many tasks there are.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Refused`] if the file cannot be read.
    pub async fn count(&mut self) -> Result<u64, StoreError> {
        let part = run_one(&mut self.connection, sql::GO_COUNT, Args::default()).await;
        let count = part.and_then(|part| part.one()?.try_get::<i64, _>(0));
        let count = count.map_err(|error| Fault::from(error).of(&self.path))?;
        Ok(count.try_into().unwrap_or(0))
    }

    /// The next tasks, or nothing behind the last. Tasks that were in somebody's hands come as
    /// crashed at `now`, and retries are due then.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Refused`] if the file cannot be read.
    pub async fn page(&mut self, now: Timestamp) -> Result<Option<GoPage>, StoreError> {
        let Some(first) = self.next else { return Ok(None) };
        let mut page = GoPage::default();
        let (mut rows, mut bytes) = (0, 0);
        let mut found = sqlx::query(sql::GO_TASKS.sql).bind(first).fetch(&mut self.connection);
        while rows < PAGE_ROWS_MAX && bytes < PAGE_BYTES_MAX {
            let row = found.try_next().await.map_err(|error| Fault::from(error).of(&self.path))?;
            let Some(row) = row else {
                self.next = None;
                break;
            };
            let (number, cells) = cells::read(&row).map_err(|e| Fault::from(e).of(&self.path))?;
            self.next = number.checked_add(1);
            rows += 1;
            bytes += cells.bytes();
            match row::task(number, cells, &self.unnamed, now) {
                Ok(task) => page.tasks.push(task),
                Err(unreadable) => page.unreadable.push(unreadable),
            }
            if self.next.is_none() {
                break;
            }
        }
        Ok((rows > 0).then_some(page))
    }

    /// Closes the file.
    pub async fn close(self) {
        connection::close(self.connection).await;
    }
}

impl fmt::Debug for GoDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoDatabase").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What is wrong with a database that has these tables, and these columns in the table of tasks.
fn problem(tables: &[String], columns: &[String]) -> Option<(&'static str, &'static str)> {
    let has = |names: &[String], name: &str| names.iter().any(|it| it == name);
    if has(tables, "loom_tasks") {
        return Some((
            "it is a database of this loom, not of the Go library",
            "its tasks need no import: open it with `--db`, or with `SqliteStore::open`",
        ));
    }
    if !COLUMNS.iter().all(|name| has(columns, name)) {
        return Some((
            "it is no database of the Go library: it has no table of its tasks",
            "name the file that the Go program was given for its tasks",
        ));
    }
    None
}

/// What the table of tasks has had since the first version.
const COLUMNS: [&str; 9] = [
    "id",
    "status",
    "worker_type",
    "project_id",
    "prompt",
    "result",
    "created_at",
    "dispatched_at",
    "completed_at",
];

fn refuse(path: &Path, (problem, hint): (&str, &str)) -> StoreError {
    refused(path, problem, hint)
}
