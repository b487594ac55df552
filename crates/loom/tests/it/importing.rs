//! A database of the Go library, taken over by a program.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use loom::{
    Engine, Error, FailureCode, FakeClock, GoDatabase, GoImport, SqliteStore, StoreError,
    TaskQuery, TaskStatus, Timestamp,
};

/// Written by the Go library itself: 358 tasks, 100 of them in flight.
fn sample() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../loom-store/tests/data/go-loom-v0.2.0.db").into()
}

async fn engine(now: Timestamp) -> Engine {
    let clock = Arc::new(FakeClock::at(now));
    Engine::builder("importer", SqliteStore::in_memory())
        .time(Arc::clone(&clock) as Arc<_>, clock)
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn an_import_can_be_repeated_and_tells_what_it_has_done() {
    let now = Timestamp::from_micros(1_800_000_000_000_000);
    let engine = engine(now).await;
    let first = loom::import_go(&engine, sample()).await.unwrap();
    assert_eq!((first.tasks.added, first.tasks.present, first.tasks.crashed), (358, 0, 100));
    assert_eq!(first.tasks.waiting, BTreeMap::from([("godb-engine".to_owned(), 100)]));
    assert_eq!((first.unreadable_count, first.unreadable.len()), (0, 0));
    let crashed = TaskQuery::all().statuses([TaskStatus::FailedCrash]).limit(1000);
    let crashed = engine.list_all(crashed).await.unwrap().tasks;
    let ended = crashed.iter().filter(|task| task.failure == Some(FailureCode::Crashed));
    assert!(ended.clone().all(|task| task.completed_at == Some(now)), "by the engine's clock");
    assert_eq!((crashed.len(), ended.count()), (150, 100));

    let second = loom::import_go(&engine, sample()).await.unwrap();
    assert_eq!((second.tasks.added, second.tasks.present, second.tasks.crashed), (0, 358, 0));
    engine.close().await.unwrap();
    assert!(matches!(loom::import_go(&engine, sample()).await, Err(Error::Closed)));
}

#[tokio::test]
async fn the_pages_of_a_database_can_be_imported_one_by_one() {
    let engine = engine(Timestamp::from_micros(1_800_000_000_000_000)).await;
    let mut database = GoDatabase::open(sample()).await.unwrap();
    let mut import = GoImport::new();
    assert!(import.page(&engine, &mut database).await.unwrap());
    assert_eq!(import.tasks.added, database.count().await.unwrap());
    assert!(!import.page(&engine, &mut database).await.unwrap());
}

#[tokio::test]
async fn what_is_no_go_database_is_an_error_of_the_store() {
    let engine = engine(Timestamp::from_micros(0)).await;
    let refused = loom::import_go(&engine, env!("CARGO_MANIFEST_DIR")).await.unwrap_err();
    assert!(matches!(refused, Error::Store(StoreError::Refused { .. })), "{refused}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_said_to_be_missing() {
    let engine = engine(Timestamp::from_micros(0)).await;
    let refused = loom::import_go(&engine, "nope.db").await.unwrap_err().to_string();
    assert!(refused.contains("nope.db") && refused.contains("no such file"), "{refused}");
    assert!(!refused.contains("write"), "{refused}");
}
