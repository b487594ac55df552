//! Opening a file that must not be changed, in whatever state it was left.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use loom_core::StoreError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row, SqliteConnection};
use tempfile::TempDir;

use super::fault::Fault;
use super::{problem, refuse};
use crate::connection::{self, Args, run_one};
use crate::place::beside;
use crate::sql::{self, Text};

/// Rows on their way from the connection's thread: few, for they may be long.
const ROWS_BUFFERED_MAX: usize = 16;

/// How long to wait for a program that has the file locked: long enough for a transaction of its.
const BUSY_WAIT_MAX: Duration = Duration::from_secs(2);

/// A file that can be read.
pub(super) struct Opened {
    pub(super) connection: SqliteConnection,
    /// Where the copy is, if one is read.
    pub(super) copy: Option<TempDir>,
    /// A snapshot of it holds up nobody.
    pub(super) is_frozen: bool,
}

/// How a file can be read without a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// As it is. SQLite makes nothing beside a file without a write-ahead log.
    Plain,
    /// Its write-ahead log is empty or absent, so nobody has it open: without locks, which would
    /// make files beside it.
    Immutable,
    /// With its write-ahead log and the index of that, which is left as it is.
    Indexed,
    /// It needs to be recovered, which writes: a copy.
    Copied,
}

pub(super) async fn open(path: &Path) -> Result<Opened, StoreError> {
    let found = fs::canonicalize(path).and_then(|found| Ok((fs::metadata(&found)?, found)));
    let (meta, database) = found.map_err(|error| Fault::Unreadable(error).of(path))?;
    if !meta.is_file() {
        return Err(refuse(path, ("it is not a plain file", "name the file with the tasks")));
    }
    let access = access(&database).map_err(|error| Fault::Unreadable(error).of(path))?;
    match open_as(path, &database, access).await {
        // A journal that a program which died has left: only who may write can undo it.
        Err(Fault::Sqlite(fault)) if access == Access::Plain && fault.is_read_only() => {
            open_as(path, &database, Access::Copied).await
        }
        opened => opened,
    }
    .map_err(|fault| fault.of(path))
}

async fn open_as(path: &Path, database: &Path, access: Access) -> Result<Opened, Fault> {
    let copy = match access {
        Access::Copied => Some(copy(database).await?),
        _ => None,
    };
    let file = copy.as_ref().map_or_else(|| database.to_path_buf(), |copy| copy.path().join(COPY));
    let mut connection = connect(&file, access).await?;
    match check(&mut connection).await {
        Ok(None) => {
            let is_frozen = access != Access::Plain;
            Ok(Opened { connection, copy, is_frozen })
        }
        Ok(Some(problem)) => {
            connection::close(connection).await;
            Err(Fault::Refused(refuse(path, problem)))
        }
        Err(error) => {
            connection::close(connection).await;
            Err(error.into())
        }
    }
}

async fn connect(file: &Path, access: Access) -> Result<SqliteConnection, sqlx::Error> {
    let mode = match access {
        Access::Plain => "mode=ro",
        Access::Immutable => "mode=ro&immutable=1",
        Access::Indexed => "mode=ro&readonly_shm=1",
        Access::Copied => "mode=rw",
    };
    SqliteConnectOptions::new()
        .filename(uri(file, mode))
        .read_only(access != Access::Copied)
        .create_if_missing(false)
        .busy_timeout(BUSY_WAIT_MAX)
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .row_buffer_size(ROWS_BUFFERED_MAX)
        .disable_statement_logging()
        .connect()
        .await
}

/// The name of a file as a URI, which can say how it is to be opened.
fn uri(file: &Path, mode: &str) -> String {
    let mut uri = String::from("file:");
    let mut name = file.as_os_str().as_encoded_bytes();
    if cfg!(windows) {
        uri.push('/');
        name = name.strip_prefix(br"\\?\").unwrap_or(name);
    }
    for byte in name {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'/' | b'.' | b'-' | b'_' | b':' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("{uri}?{mode}")
}

/// What is wrong with the database, if anything is.
async fn check(
    connection: &mut SqliteConnection,
) -> Result<Option<(&'static str, &'static str)>, sqlx::Error> {
    let tables = names(connection, sql::TABLES).await?;
    let columns = names(connection, sql::COLUMNS).await?;
    let encoding = names(connection, sql::ENCODING).await?;
    if let Some(problem) = problem(&tables, &columns) {
        return Ok(Some(problem));
    }
    let is_utf8 = encoding.iter().all(|encoding| encoding == "UTF-8");
    let hint = "copy its tables into a database that is UTF-8, as the Go library makes it";
    Ok((!is_utf8).then_some(("its texts are UTF-16", hint)))
}

async fn names(connection: &mut SqliteConnection, text: Text) -> Result<Vec<String>, sqlx::Error> {
    let part = run_one(connection, text, Args::default()).await?;
    part.rows.iter().map(|row| row.try_get(0)).collect()
}

fn access(database: &Path) -> io::Result<Access> {
    let log = fs::metadata(beside(database, "-wal")).map(|meta| meta.len());
    let has_index = beside(database, "-shm").exists();
    Ok(match log {
        Ok(_) if has_index => Access::Indexed,
        Ok(1..) => Access::Copied,
        _ if is_wal(database)? => Access::Immutable,
        _ => Access::Plain,
    })
}

/// Whether the file is in the mode of a write-ahead log. Asked of the file itself, for SQLite makes
/// files beside it before it says so. Nobody in this process has such a file open without a log, so
/// no lock is lost when this handle is closed.
fn is_wal(database: &Path) -> io::Result<bool> {
    const WRITE_VERSION: usize = 18;
    let mut header = Vec::new();
    File::open(database)?.take(100).read_to_end(&mut header)?;
    Ok(header.get(WRITE_VERSION) == Some(&2))
}

/// The name of a copy, in a directory of its own.
const COPY: &str = "tasks.db";

/// Copies a database that nobody has open, with what belongs to it.
async fn copy(database: &Path) -> Result<TempDir, Fault> {
    let database = database.to_path_buf();
    let copied = tokio::task::spawn_blocking(move || {
        let no_copy = |error| Fault::NoCopy(env::temp_dir(), error);
        let directory = tempfile::Builder::new().prefix("loom-import-").tempdir();
        let directory = directory.map_err(no_copy)?;
        let target = directory.path().join(COPY);
        for suffix in ["", "-wal", "-journal"] {
            let source = beside(&database, suffix);
            if source.exists() {
                let mut source = File::open(&source).map_err(Fault::Unreadable)?;
                copy_contents(&mut source, &beside(&target, suffix)).map_err(no_copy)?;
            }
        }
        Ok(directory)
    });
    copied.await.unwrap_or_else(|error| Err(Fault::Unreadable(io::Error::other(error))))
}

/// Not with its permissions: what may not be written there must be written here.
fn copy_contents(source: &mut File, target: &Path) -> io::Result<()> {
    io::copy(source, &mut File::create_new(target)?).map(|_| ())
}
