//! A row that cannot be read stops nobody.

use loom_core::{Op, StoreError, TaskQuery, TaskStatus, TaskStore, Transition};

use crate::support::{Actor, Place, at, claim, id, insert, instance, meddle, task};

#[tokio::test]
async fn what_cannot_be_read_is_named_and_can_be_ended() {
    let place = Place::new();
    let store = place.store();
    let actor = Actor::join(&store, "one").await;
    let tasks = ["a", "b", "c"].map(|name| insert(task(name)));
    actor.commit(tasks.to_vec()).await;
    meddle(&place.path, "UPDATE loom_tasks SET request = '{\"secret' WHERE id = 'b';").await;

    match store.get(&[id("a"), id("b")]).await {
        Err(StoreError::Unreadable { task, why }) => {
            assert_eq!(task, id("b"));
            assert!(!why.contains("secret"), "what stands there is not told: {why}");
        }
        other => panic!("a task that cannot be read is an error of its own: {other:?}"),
    }
    let page = store.list(&TaskQuery::all()).await.unwrap();
    assert_eq!((page.tasks.len(), page.unreadable.len()), (2, 1));
    assert_eq!(page.unreadable[0].task, id("b"));

    let committed = actor.commit(vec![claim(5)]).await;
    assert_eq!(committed.claimed.len(), 2, "the others are claimed");
    let unreadable = committed.unreadable.into_iter().next().unwrap();
    assert_eq!((unreadable.task.clone(), unreadable.epoch), (id("b"), 1));
    let end = Transition::unreadable(&unreadable, at(20));
    actor.commit(vec![Op::Apply(Box::new(end))]).await;
    let counts = store.count(&TaskQuery::all()).await.unwrap();
    assert_eq!((counts.of(TaskStatus::Running), counts.of(TaskStatus::Failed)), (2, 1));
}

#[tokio::test]
async fn of_what_a_dead_instance_left_the_unreadable_hides_nothing() {
    let place = Place::new();
    let store = place.store();
    let died = Actor::join(&store, "died").await;
    died.commit(["a", "b", "c"].map(|name| insert(task(name))).to_vec()).await;
    died.commit(vec![claim(5)]).await;
    drop(died);
    // Of this a summary knows nothing.
    meddle(&place.path, "UPDATE loom_tasks SET metadata = '[1]' WHERE id = 'b';").await;
    let left = store.left_by(&instance("died").id, None).await.unwrap();
    let whole: Vec<&str> = left.tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(whole, ["a", "c"]);
    let unreadable = left.unreadable.into_iter().next().unwrap();
    assert_eq!((unreadable.task.clone(), unreadable.epoch), (id("b"), 1));
    let other = Actor::join(&store, "other").await;
    let end = Transition::unreadable(&unreadable, at(20));
    other.commit(vec![Op::Apply(Box::new(end))]).await;
    assert!(store.left_by(&instance("died").id, None).await.unwrap().unreadable.is_empty());
}

#[tokio::test]
async fn every_column_that_makes_no_sense_is_named() {
    let place = Place::new();
    let store = place.store();
    let actor = Actor::join(&store, "one").await;
    let spoiled: [(&str, &'static str); 6] = [
        ("status", "UPDATE loom_tasks SET status = 'paused';"),
        ("epoch", "UPDATE loom_tasks SET epoch = -1;"),
        ("attempt", "UPDATE loom_tasks SET attempt = 1 << 40;"),
        ("metadata", "UPDATE loom_tasks SET metadata = '[1]';"),
        ("failure", "UPDATE loom_tasks SET failure = 'bad luck';"),
        ("prompt", "UPDATE loom_tasks SET prompt = CAST(x'ff' AS TEXT);"),
    ];
    for (index, (column, sql)) in spoiled.into_iter().enumerate() {
        let name = format!("t{index}");
        meddle(&place.path, "DELETE FROM loom_tasks;").await;
        actor.commit(vec![insert(task(&name))]).await;
        meddle(&place.path, sql).await;
        match store.get(&[id(&name)]).await {
            Err(StoreError::Unreadable { why, .. }) => {
                assert!(why.contains(column), "{column}: {why}");
            }
            other => panic!("{column} is unreadable: {other:?}"),
        }
    }
}
