//! A source is only read, in whatever state it was left.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;

use loom_core::{StoreError, TaskStore};
use loom_store::SqliteStore;
use sqlx::{Connection, Executor, SqliteConnection};

use super::{V0_1, go, made, read};
use crate::support::{Place, connect, meddle};

const INSERT: &str = "INSERT INTO tasks (id, worker_type, project_id, prompt, created_at) \
                      VALUES ('t', 'w', '', '', '2026-01-01')";
const ANOTHER: &str = "INSERT INTO tasks (id, worker_type, project_id, prompt, created_at) \
                       VALUES ('u', 'w', '', '', '2026-01-01')";

/// Every file of a directory, with what is in it.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let file = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

/// Reads the database, expects so many tasks, and that nothing in its directory has changed.
async fn reads_without_a_trace(place: &Place, tasks: usize) {
    let before = files(place.directory.path());
    let page = read(&place.path).await.unwrap();
    assert_eq!((page.tasks.len(), page.unreadable.len()), (tasks, 0));
    assert!(files(place.directory.path()) == before, "{:?}", place.entries());
}

/// As [`reads_without_a_trace`], and again where nobody may write.
async fn reads_anywhere(place: &Place, tasks: usize) {
    reads_without_a_trace(place, tasks).await;
    let directory = place.directory.path();
    let permissions = fs::metadata(directory).unwrap().permissions();
    let mut read_only = permissions.clone();
    read_only.set_readonly(true);
    fs::set_permissions(&place.path, read_only.clone()).unwrap();
    fs::set_permissions(directory, read_only).unwrap();
    reads_without_a_trace(place, tasks).await;
    fs::set_permissions(directory, permissions).unwrap();
}

/// A copy of the files of a directory, as a program that is killed leaves them.
fn killed(place: &Place, names: &[&str]) -> Place {
    let copy = Place::new();
    for name in names {
        fs::copy(place.directory.path().join(name), copy.directory.path().join(name)).unwrap();
    }
    copy
}

async fn in_wal_mode(place: &Place) -> SqliteConnection {
    let mut connection = made(&place.path, 5, &[INSERT]).await;
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").await.unwrap();
    connection.execute(ANOTHER).await.unwrap();
    connection
}

#[tokio::test]
async fn a_database_without_a_log_is_read_without_a_trace() {
    reads_anywhere(&go(5, &[INSERT]).await, 1).await;
}

#[tokio::test]
async fn a_database_whose_log_was_taken_in_is_read_without_a_trace() {
    let place = Place::new();
    in_wal_mode(&place).await.close().await.unwrap();
    assert_eq!(place.entries(), ["tasks.db"]);
    reads_anywhere(&place, 2).await;
    fs::write(place.directory.path().join("tasks.db-wal"), "").unwrap();
    reads_anywhere(&place, 2).await;
}

#[tokio::test]
async fn a_database_with_a_log_beside_it_is_read_without_a_trace() {
    let place = Place::new();
    let connection = in_wal_mode(&place).await;
    let with_index = killed(&place, &["tasks.db", "tasks.db-wal", "tasks.db-shm"]);
    let without = killed(&place, &["tasks.db", "tasks.db-wal"]);
    connection.close().await.unwrap();
    reads_anywhere(&with_index, 2).await;
    reads_anywhere(&without, 2).await;
}

#[tokio::test]
async fn a_database_that_a_program_has_open_is_read_without_a_trace() {
    let place = Place::new();
    let mut connection = in_wal_mode(&place).await;
    let page = read(&place.path).await.unwrap();
    assert_eq!(page.tasks.len(), 2);
    connection.execute("UPDATE tasks SET prompt = 'still mine'").await.unwrap();
    connection.close().await.unwrap();
    assert_eq!(place.entries(), ["tasks.db"], "nothing was left that its owner does not remove");
}

#[tokio::test]
async fn a_journal_that_a_killed_program_left_is_undone_in_a_copy() {
    let place = go(5, &[INSERT]).await;
    let mut connection = connect(&place.path).await;
    connection.execute("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN").await.unwrap();
    connection
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
             INSERT INTO tasks (id, worker_type, project_id, prompt, created_at)
             SELECT 'n' || i, 'w', '', hex(zeroblob(500)), '2026-01-01' FROM n",
        )
        .await
        .unwrap();
    let left = killed(&place, &["tasks.db", "tasks.db-journal"]);
    connection.close().await.unwrap();
    assert!(fs::metadata(&left.path).unwrap().len() > 1 << 20, "some of it was written");
    reads_anywhere(&left, 1).await;
}

#[tokio::test]
async fn any_name_of_a_file_will_do() {
    let place = go(5, &[INSERT]).await;
    for name in ["a b.db", "50%?mode=rw#x&y.db", "ünï ✓.db", "file:x.db"] {
        let path = place.directory.path().join(name);
        fs::copy(&place.path, &path).unwrap();
        assert_eq!(read(&path).await.unwrap().tasks.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn what_is_no_database_of_the_go_library_is_refused() {
    let place = Place::new();
    let file = |name: &str| place.directory.path().join(name);
    fs::write(file("text.db"), "no database at all, but long enough to be looked at".repeat(20))
        .unwrap();
    fs::write(file("empty.db"), "").unwrap();
    meddle(&file("other.db"), "CREATE TABLE tasks (id TEXT PRIMARY KEY, title TEXT)").await;
    let mut utf16 = connect(&file("utf16.db")).await;
    utf16.execute("PRAGMA encoding = 'UTF-16le'").await.unwrap();
    utf16.execute(V0_1).await.unwrap();
    utf16.close().await.unwrap();
    let store = SqliteStore::open(file("loom.db"));
    store.prepare().await.unwrap();
    store.close().await.unwrap();
    let cases = [
        ("text.db", "no SQLite database"),
        ("empty.db", "no database of the Go library"),
        ("other.db", "no database of the Go library"),
        ("utf16.db", "UTF-16"),
        ("loom.db", "of this loom"),
        ("absent.db", "no such file"),
        (".", "not a plain file"),
    ];
    for (name, expected) in cases {
        match read(&file(name)).await {
            Err(StoreError::Refused { problem, hint, .. }) => {
                assert!(problem.contains(expected) && !hint.is_empty(), "{name}: {problem}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(!file("absent.db").exists(), "nothing is made");
}

/// What is said of a source that is refused.
async fn refusal(place: &Place) -> String {
    let error = read(&place.path).await.unwrap_err();
    assert!(matches!(&error, StoreError::Refused { path, .. } if *path == place.path), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn a_source_that_a_program_has_locked_says_what_to_stop() {
    let place = go(5, &[INSERT]).await;
    let mut connection = connect(&place.path).await;
    connection.execute("BEGIN EXCLUSIVE").await.unwrap();
    let said = refusal(&place).await;
    assert!(said.contains("locked") && said.contains("stop the Go program first"), "{said}");
    connection.close().await.unwrap();
    assert_eq!(read(&place.path).await.unwrap().tasks.len(), 1);
}

#[tokio::test]
async fn a_source_that_sqlite_cannot_open_is_named() {
    let place = Place::new();
    in_wal_mode(&place).await.close().await.unwrap();
    fs::write(place.directory.path().join("tasks.db-wal"), "").unwrap();
    // A socket has a name in the directory, and nobody can open it as a file.
    let _socket = UnixListener::bind(place.directory.path().join("tasks.db-shm")).unwrap();
    let said = refusal(&place).await;
    assert!(said.contains("cannot open") && said.contains("may read"), "{said}");
    assert!(!said.contains("write"), "it is only read: {said}");
}
