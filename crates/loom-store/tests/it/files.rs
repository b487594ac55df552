//! What stands on the disk.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use loom_core::TaskStore;
use loom_store::{Durability, SqliteStore};

use crate::support::{Actor, Place, connect, insert, task};

/// Every file and directory below `directory`, with its mode.
fn modes(directory: &Path) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        found.push((path.file_name().unwrap().to_str().unwrap().to_owned(), mode));
        if path.is_dir() {
            found.extend(modes(&path));
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn files_are_for_their_user_alone_under_any_umask() {
    // For the whole process, which harms no other test: none asks for less than what is asked here.
    rustix::process::umask(rustix::fs::Mode::empty());
    let place = Place::new();
    let store = place.store();
    let actor = Actor::join(&store, "one/../of them").await;
    actor.commit(vec![insert(task("t"))]).await;
    let expected = [
        ("instances", 0o700),
        ("migrate.lock", 0o600),
        ("one%2f%2e%2e%2fof%20them.lock", 0o600),
        ("tasks.db", 0o600),
        ("tasks.db-shm", 0o600),
        ("tasks.db-wal", 0o600),
        ("tasks.db.d", 0o700),
    ];
    let expected = expected.map(|(name, mode)| (name.to_owned(), mode));
    assert_eq!(modes(place.directory.path()), expected);
    drop(actor);
    store.close().await.unwrap();
}

#[tokio::test]
async fn who_leaves_takes_the_lock_along() {
    let place = Place::new();
    let store = place.store();
    let actor = Actor::join(&store, "one").await;
    actor.membership.leave().await.unwrap();
    let left: Vec<String> =
        modes(place.directory.path()).into_iter().map(|(name, _)| name).collect();
    assert!(!left.contains(&"one.lock".to_owned()), "{left:?}");
}

#[tokio::test]
async fn a_database_keeps_a_write_ahead_log() {
    let place = Place::new();
    for durability in [Durability::Full, Durability::Normal] {
        let store = SqliteStore::builder(&place.path).durability(durability).build();
        store.prepare().await.unwrap();
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&mut connect(&place.path).await)
            .await
            .unwrap();
        assert_eq!(mode, "wal");
        store.close().await.unwrap();
    }
}
