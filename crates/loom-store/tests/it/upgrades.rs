//! Databases of earlier schemas, as this program's forerunners have written them.

use loom_core::{Applied, InstanceId, TaskQuery, TaskStatus, TaskStore};

use crate::support::{Actor, Place, insert, task};

const SCHEMA_1: &[u8] = include_bytes!("../data/schema-1.db");

#[tokio::test]
async fn a_database_of_the_first_schema_is_taken_over_with_nothing_lost() {
    let place = Place::new();
    std::fs::write(&place.path, SCHEMA_1).unwrap();
    let store = place.store();
    let page = store.list(&TaskQuery::all()).await.unwrap();
    let found: Vec<_> = page.tasks.iter().map(|task| (task.seq, task.status)).collect();
    let expected = [
        (4, TaskStatus::Completed),
        (3, TaskStatus::Running),
        (2, TaskStatus::Retrying),
        (1, TaskStatus::Completed),
    ];
    assert_eq!(found, expected);
    let retrying = &page.tasks[2];
    assert_eq!(store.attempts(&retrying.id).await.unwrap()[0].error, None, "attempts are kept");
    let gone = InstanceId::new("gone").unwrap();
    assert_eq!(page.tasks[1].instance, Some(gone), "what was in hand still is");
    let first = store.get(&[page.tasks[3].id.clone()]).await.unwrap();
    assert_eq!(first[0].result, "hello world");
    store.close().await.unwrap();
}

#[tokio::test]
async fn counts_and_numbers_go_on_from_where_the_first_schema_left_them() {
    let place = Place::new();
    std::fs::write(&place.path, SCHEMA_1).unwrap();
    let store = place.store();
    let counts = store.count(&TaskQuery::all().engine("default")).await.unwrap();
    let of = |status| counts.of(status);
    let numbers =
        [TaskStatus::Completed, TaskStatus::Running, TaskStatus::Retrying, TaskStatus::Failed];
    assert_eq!(numbers.map(of), [2, 1, 1, 0]);
    let actor = Actor::join(&store, "one").await;
    let committed = actor.commit(vec![insert(task("t"))]).await;
    // Numbers up to 9 were given before, to tasks that have been removed.
    assert_eq!(committed.applied, [Applied::Inserted { seq: 10 }]);
    assert_eq!(store.count(&TaskQuery::all()).await.unwrap().total(), 5);
}
