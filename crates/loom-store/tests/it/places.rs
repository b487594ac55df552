//! Places that cannot be used are refused, with a reason, and are left as they were.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use loom_core::{StoreError, TaskQuery, TaskStore};
use loom_store::SqliteStore;

use crate::support::{Actor, Place, insert, meddle, task};

/// Refused for the reason `expected`; the words of the refusal.
async fn refused(path: &Path, expected: &str) -> String {
    let store = SqliteStore::open(path);
    let refusal = store.prepare().await.unwrap_err();
    let text = refusal.to_string();
    let (problem, hint) = match refusal {
        StoreError::Refused { problem, hint, .. } => (problem, hint),
        _ => ("no refusal".to_owned(), String::new()),
    };
    assert!(problem.contains(expected), "{expected:?} is the problem: {text}");
    assert!(!hint.is_empty(), "there is something to do about {problem:?}");
    let again = store.count(&TaskQuery::all()).await.unwrap_err().to_string();
    assert_eq!(again, text, "whoever uses the store unprepared is told the same");
    text
}

/// Refused like [`refused`], and nothing was made or changed at the place.
async fn refused_untouched(place: &Place, expected: &str) {
    let before = (place.entries(), fs::read(&place.path).unwrap());
    refused(&place.path, expected).await;
    let after = (place.entries(), fs::read(&place.path).unwrap());
    assert!(before == after, "a refused place stays as it was: {:?}", after.0);
}

#[tokio::test]
async fn making_a_store_touches_nothing() {
    let place = Place::new();
    drop(place.store());
    assert!(place.entries().is_empty());
}

#[tokio::test]
async fn a_directory_is_refused() {
    let place = Place::new();
    refused(place.directory.path(), "directory").await;
    assert!(place.entries().is_empty(), "nothing was made in it");
}

#[tokio::test]
async fn a_path_without_its_directory_is_refused() {
    let place = Place::new();
    let text = refused(&place.directory.path().join("missing/tasks.db"), "does not exist").await;
    assert!(text.contains("create the directory"), "{text}");
    fs::write(place.directory.path().join("file"), "").unwrap();
    refused(&place.directory.path().join("file/tasks.db"), "not a directory").await;
    assert_eq!(place.entries(), ["file"]);
}

#[tokio::test]
async fn an_empty_path_is_refused() {
    refused(Path::new(""), "not a path").await;
    refused(Path::new("/"), "names no file").await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let place = Place::new();
    fs::write(&place.path, "Dear diary, ".repeat(1000)).unwrap();
    refused_untouched(&place, "no SQLite database").await;
}

#[tokio::test]
async fn a_database_of_the_go_library_is_refused() {
    let place = Place::new();
    meddle(
        &place.path,
        "CREATE TABLE tasks (id TEXT PRIMARY KEY, status TEXT, worker_type TEXT, project_id TEXT,
         prompt TEXT, created_at DATETIME, dispatched_at DATETIME, completed_at DATETIME);
         INSERT INTO tasks (id, status) VALUES ('a', 'completed');",
    )
    .await;
    refused_untouched(&place, "Go library").await;
}

#[tokio::test]
async fn tables_of_an_unknown_shape_are_refused() {
    let place = Place::new();
    meddle(&place.path, "CREATE TABLE loom_tasks (id TEXT);").await;
    refused_untouched(&place, "shape").await;
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let place = Place::new();
    let store = place.store();
    store.prepare().await.unwrap();
    store.close().await.unwrap();
    meddle(
        &place.path,
        "INSERT INTO _loom_migrations (version, description, success, checksum, execution_time)
         VALUES (1000, 'to come', TRUE, x'00', 0);",
    )
    .await;
    refused_untouched(&place, "newer loom").await;
}

#[tokio::test]
async fn a_database_whose_migrations_were_others_is_refused() {
    let place = Place::new();
    let store = place.store();
    store.prepare().await.unwrap();
    store.close().await.unwrap();
    meddle(&place.path, "UPDATE _loom_migrations SET checksum = x'00';").await;
    refused(&place.path, "migrations").await;
}

#[tokio::test]
async fn a_database_that_keeps_texts_otherwise_is_refused() {
    let place = Place::new();
    meddle(&place.path, "PRAGMA encoding = 'UTF-16le'; CREATE TABLE host (name TEXT);").await;
    refused_untouched(&place, "UTF-16le").await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_with_several_names_is_refused() {
    let place = Place::new();
    fs::write(&place.path, "").unwrap();
    fs::hard_link(&place.path, place.directory.path().join("other.db")).unwrap();
    refused_untouched(&place, "hard links").await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_leads_nowhere_is_refused() {
    let place = Place::new();
    std::os::unix::fs::symlink("missing", &place.path).unwrap();
    refused(&place.path, "leads nowhere").await;
    assert_eq!(place.entries(), ["tasks.db"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_a_database_leads_to_its_locks() {
    let place = Place::new();
    let link = place.directory.path().join("link.db");
    fs::write(&place.path, "").unwrap();
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    let (store, linked) = (place.store(), SqliteStore::open(&link));
    let one = Actor::join(&store, "one").await;
    let other = Actor::join(&linked, "other").await;
    assert!(one.membership.dead().await.unwrap().is_empty(), "each sees that the other lives");
    assert!(other.membership.dead().await.unwrap().is_empty());
    assert!(!place.entries().contains(&"link.db.d".to_owned()), "{:?}", place.entries());
}

#[tokio::test]
async fn an_empty_file_is_taken() {
    let place = Place::new();
    fs::write(&place.path, "").unwrap();
    place.store().prepare().await.unwrap();
}

#[tokio::test]
async fn the_database_of_a_host_is_shared() {
    let place = Place::new();
    meddle(
        &place.path,
        "PRAGMA user_version = 7; PRAGMA application_id = 9; CREATE TABLE tasks (title TEXT);
         INSERT INTO tasks VALUES ('host');",
    )
    .await;
    let store = place.store();
    let actor = Actor::join(&store, "one").await;
    actor.commit(vec![insert(task("t"))]).await;
    let mut host = crate::support::connect(&place.path).await;
    let (version, application, title): (i64, i64, String) = sqlx::query_as(
        "SELECT user_version, application_id, title
         FROM pragma_user_version, pragma_application_id, tasks",
    )
    .fetch_one(&mut host)
    .await
    .unwrap();
    assert_eq!((version, application, title.as_str()), (7, 9, "host"), "what is the host's stays");
}

#[tokio::test]
async fn many_can_make_a_place_ready_at_once() {
    let place = Place::new();
    let preparing = (0..6).map(|_| {
        let store = place.store();
        tokio::spawn(async move { store.prepare().await })
    });
    let preparing: Vec<_> = preparing.collect();
    for prepared in preparing {
        prepared.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_database_may_be_opened_by_many_at_once() {
    for _ in 0..20 {
        let place = Place::new();
        let opening = (0..6).map(|_| {
            let store = place.store();
            tokio::spawn(async move { store.prepare().await })
        });
        for opened in opening.collect::<Vec<_>>() {
            opened.await.unwrap().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_while_a_store_is_closed_is_answered_and_nothing_stays_open() {
    let place = Place::new();
    let store = Arc::new(place.store());
    let actor = Actor::join(&store, "one").await;
    actor.commit((0..500).map(|number| insert(task(&format!("t{number}")))).collect()).await;
    drop(actor);
    let asked = (0..20).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.list(&TaskQuery::all().limit(500)).await })
    });
    let asked: Vec<_> = asked.collect();
    store.close().await.unwrap();
    for answer in asked {
        match answer.await.unwrap() {
            Ok(page) => assert_eq!(page.tasks.len(), 500),
            Err(error) => assert!(matches!(error, StoreError::Closed), "{error}"),
        }
    }
    // Whoever closes the database last carries the log over and takes it away; that must be the
    // connection that may write.
    assert_eq!(place.entries(), ["tasks.db", "tasks.db.d"]);
}
