//! Making a database ready: checks, creation, migrations.

mod inspect;
mod migrate;

use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loom_core::StoreError;
use sqlx::{Row, SqliteConnection};

use crate::connection::{self, Args, Options, run_one};
use crate::error::{Fault, refused, refused_by_system, store_error};
use crate::locks::{Locks, private};
use crate::membership::Seats;
use crate::open::Open;
use crate::options::{Location, Settings};
use crate::place::{self, Place};
use crate::readers::Readers;
use crate::sql;
use crate::writer::Writer;

/// How long a migration waits for those who use the database.
const MIGRATION_WAIT_MAX: Duration = Duration::from_secs(30);

/// How long to wait before asking again for the write-ahead log, which SQLite itself does not wait
/// for.
const WAL_AGAIN: Duration = Duration::from_millis(50);

/// The first SQLite whose write-ahead log survives two connections that start it over at once.
const LIBRARY_MIN: (u32, u32, u32) = (3, 51, 3);

/// Checks, creates and migrates the database, and opens it.
pub(crate) async fn open(settings: &Settings) -> Result<Open, StoreError> {
    match &settings.location {
        Location::File(path) => open_file(path, settings).await,
        Location::Memory => open_memory(settings).await,
    }
}

async fn open_memory(settings: &Settings) -> Result<Open, StoreError> {
    let path = PathBuf::from(":memory:");
    let options = Options::memory(settings.durability, settings.busy_timeout);
    let mut connection = options.connect().await.map_err(|error| store_error(&path, error))?;
    check_library(&path, &mut connection).await?;
    migrate::migrate(&path, &mut connection).await?;
    Ok(Open {
        writer: Writer::start(path.clone(), options, connection, true)?,
        path,
        readers: None,
        locks: Locks::Memory(Arc::default()),
        seats: Seats::default(),
    })
}

async fn open_file(asked: &Path, settings: &Settings) -> Result<Open, StoreError> {
    let place = place::check(asked)?;
    let path = &place.database;
    let patient = Options::file(path, settings.durability, MIGRATION_WAIT_MAX).before_wal();
    check_own_library(asked).await?;
    if place.exists {
        let mut connection = first_connection(asked, &patient).await?;
        let checked = inspect::check(asked, &mut connection).await;
        connection::close(connection).await;
        checked?;
    }
    let locked = create_directories(&place)
        .map_err(|e| refused_by_system(asked, "its directory of locks cannot be made", e))?;
    let _alone = wait_for(locked).await.map_err(|e| refused_by_system(asked, "no lock", e))?;
    create(path).map_err(|e| refused_by_system(asked, "it cannot be created", e))?;
    let mut connection = first_connection(asked, &patient).await?;
    let made = make_ready(asked, &mut connection, settings).await;
    connection::close(connection).await;
    made?;
    let options = Options::file(path, settings.durability, settings.busy_timeout);
    let connection = options.connect().await.map_err(|error| store_error(path, error))?;
    let writer = Writer::start(path.clone(), options.clone(), connection, false)?;
    // From here on, what others commit is news.
    writer.has_news().await?;
    Ok(Open {
        path: path.clone(),
        writer,
        readers: Some(Readers::new(path.clone(), options.read_only())),
        locks: Locks::Files { directory: instances(&place) },
        seats: Seats::default(),
    })
}

/// Brings a database that is there, if only as an empty file, to what this program needs.
async fn make_ready(
    path: &Path,
    connection: &mut SqliteConnection,
    settings: &Settings,
) -> Result<(), StoreError> {
    // Again: before the lock was taken another process may have done something.
    inspect::check(path, connection).await?;
    switch_to_wal(path, connection, settings).await?;
    migrate::migrate(path, connection).await
}

async fn first_connection(path: &Path, options: &Options) -> Result<SqliteConnection, StoreError> {
    options.connect().await.map_err(|error| inspect::refusal(path, error))
}

/// Asks for the write-ahead log until nobody is in the way.
async fn switch_to_wal(
    path: &Path,
    connection: &mut SqliteConnection,
    settings: &Settings,
) -> Result<(), StoreError> {
    let until = settings.clock.now().saturating_add(MIGRATION_WAIT_MAX);
    loop {
        let answer = run_one(connection, sql::WAL, Args::default()).await;
        let mode = answer.and_then(|part| part.one()?.try_get::<String, _>(0)).map_err(Fault::from);
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                let problem = format!("SQLite keeps the journal mode {mode} there");
                let hint = "choose a path on a disk of this machine, where a write-ahead log works";
                return Err(refused(path, problem, hint));
            }
            Err(fault) if !fault.is_busy() || settings.clock.now() >= until => {
                return Err(store_error(path, fault));
            }
            Err(_) => {
                let again = settings.clock.now().saturating_add(WAL_AGAIN);
                settings.timer.sleep_until(again).await;
            }
        }
    }
}

/// Asks the library itself, without touching the place.
async fn check_own_library(path: &Path) -> Result<(), StoreError> {
    let options = Options::memory(Default::default(), Duration::ZERO);
    let mut connection = options.connect().await.map_err(|error| store_error(path, error))?;
    let checked = check_library(path, &mut connection).await;
    connection::close(connection).await;
    checked
}

async fn check_library(path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let part = run_one(connection, sql::LIBRARY, Args::default()).await;
    let version = part.and_then(|part| part.one()?.try_get::<String, _>(0));
    let version = version.map_err(|error| store_error(path, error))?;
    if is_recent(&version) {
        return Ok(());
    }
    let problem = format!("this program holds SQLite {version}, which can destroy a database");
    Err(refused(path, problem, "build it with libsqlite3-sys 0.37, whose SQLite is 3.51.3"))
}

fn is_recent(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
    let mut next = || numbers.next().flatten();
    match (next(), next(), next()) {
        (Some(major), Some(minor), patch) => (major, minor, patch.unwrap_or(0)) >= LIBRARY_MIN,
        _ => false,
    }
}

fn instances(place: &Place) -> PathBuf {
    place.directory.join("instances")
}

/// Makes the directories beside the database; the file to lock while it is made ready.
fn create_directories(place: &Place) -> io::Result<File> {
    create_directory(&place.directory)?;
    create_directory(&instances(place))?;
    private().create(true).truncate(false).open(place.directory.join("migrate.lock"))
}

/// For this user alone, from the first instant.
fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        created => created,
    }
}

/// Waits for the lock on a thread of its own: another process may hold it for a while.
async fn wait_for(file: File) -> io::Result<File> {
    let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
    locked.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Makes an empty file for this user alone, unless there is one. SQLite would make it for everybody
/// whom the umask lets in. No database is open there yet, so closing the file harms no lock.
fn create(path: &Path) -> io::Result<()> {
    match private().create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        created => created.map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use super::is_recent;

    #[test]
    fn a_library_with_the_fault_is_told_from_one_without() {
        for version in ["3.51.3", "3.51.4", "3.52.0", "4.0.0", "3.53"] {
            assert!(is_recent(version), "{version}");
        }
        for version in ["3.51.2", "3.51", "3.50.9", "3.40.1", "2.99.99", "", "three"] {
            assert!(!is_recent(version), "{version}");
        }
    }
}
