//! Commits that go wrong, that are repeated, and that have nothing to write.

use std::time::Duration;

use futures_util::FutureExt;
use loom_core::{
    Applied, Cancel, Ended, Op, RetryReason, StoreError, Task, TaskQuery, TaskStatus, TaskStore,
    Transition,
};
use loom_store::SqliteStore;
use sqlx::Connection;

use crate::support::{Actor, Place, at, claim, connect, id, insert, meddle, task};

async fn version(connection: &mut sqlx::SqliteConnection) -> i64 {
    sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn after_a_commit_of_unknown_outcome_the_batch_can_be_sent_again() {
    let place = Place::new();
    let store = place.store();
    let actor = Actor::join(&store, "one").await;
    // A constraint that is looked at only with the commit makes the commit itself fail.
    meddle(
        &place.path,
        "CREATE TABLE host (task INTEGER REFERENCES guests (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE guests (id INTEGER PRIMARY KEY);
         CREATE TRIGGER fails AFTER INSERT ON loom_tasks
             BEGIN INSERT INTO host VALUES (NEW.seq); END;",
    )
    .await;
    let batch = actor.batch(vec![insert(task("t")), claim(5)]);
    for _ in 0..2 {
        match store.commit(&batch).await {
            Err(StoreError::Unknown { number: 1, .. }) => {}
            other => panic!("the outcome of a failed commit is unknown: {other:?}"),
        }
    }
    assert_eq!(store.count(&TaskQuery::all()).await.unwrap().total(), 0);
    meddle(&place.path, "DROP TRIGGER fails;").await;
    let committed = store.commit(&batch).await.unwrap();
    assert!(matches!(committed.applied.as_slice(), [Applied::Inserted { .. }, Applied::Claimed]));
    assert_eq!(committed.claimed, [actor.read("t").await]);
    assert_eq!(store.commit(&batch).await.unwrap(), committed, "and now it is known");
}

#[tokio::test]
async fn a_commit_that_fails_half_way_leaves_nothing_and_the_next_one_works() {
    let place = Place::new();
    let store = place.store();
    let actor = Actor::join(&store, "one").await;
    meddle(
        &place.path,
        "CREATE TRIGGER fails BEFORE UPDATE ON loom_tasks BEGIN SELECT RAISE(ABORT, 'no'); END;",
    )
    .await;
    actor.commit(vec![insert(task("a"))]).await;
    let failed = actor.try_commit(vec![insert(task("b")), claim(1)]).await;
    assert!(matches!(failed, Err(StoreError::Unavailable { .. })), "{failed:?}");
    assert_eq!(store.count(&TaskQuery::all()).await.unwrap().total(), 1, "only the first is there");
    meddle(&place.path, "DROP TRIGGER fails;").await;
    let claimed = actor.commit(vec![insert(task("b")), claim(5)]).await.claimed;
    assert_eq!(claimed.len(), 2);
}

#[tokio::test]
async fn a_store_that_is_locked_is_away_and_comes_back() {
    let place = Place::new();
    let store = SqliteStore::builder(&place.path).busy_timeout(Duration::from_millis(20)).build();
    let actor = Actor::join(&store, "one").await;
    let mut other = connect(&place.path).await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let batch = actor.batch(vec![insert(task("t"))]);
    let away = store.commit(&batch).await;
    assert!(matches!(away, Err(StoreError::Unavailable { .. })), "{away:?}");
    lock.rollback().await.unwrap();
    assert!(matches!(*store.commit(&batch).await.unwrap().applied, [Applied::Inserted { .. }]));
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_any_more_is_whole() {
    let place = Place::new();
    let store = place.store();
    let actor = Actor::join(&store, "one").await;
    let tasks = (0..200).map(|n| insert(task(&format!("t{n}"))));
    let batch = actor.batch(tasks.chain([claim(100)]).collect());
    tokio::select! {
        biased;
        _ = store.commit(&batch) => panic!("a commit takes longer than one look at it"),
        () = tokio::task::yield_now() => {}
    }
    let committed = store.commit(&batch).await.unwrap();
    assert_eq!(committed.claimed.len(), 100, "sent again, it tells what it did");
    let counts = store.count(&TaskQuery::all()).await.unwrap();
    assert_eq!((counts.of(TaskStatus::Running), counts.of(TaskStatus::Pending)), (100, 100));
}

#[tokio::test]
async fn a_claim_that_finds_nothing_writes_nothing() {
    let place = Place::new();
    let store = place.store();
    let actor = Actor::join(&store, "one").await;
    let mut later = task("later");
    later.request.run_at = Some(at(60));
    actor.commit(vec![insert(later), insert(task("now"))]).await;
    let mut other = connect(&place.path).await;
    let before = version(&mut other).await;
    let told = actor.commit(vec![claim(0)]).await;
    assert_eq!(told.next_due, Some(at(60)), "what is due waits for room");
    assert_eq!(version(&mut other).await, before, "nothing was written");

    assert_eq!(actor.commit(vec![claim(5)]).await.claimed.len(), 1);
    let before = version(&mut other).await;
    for _ in 0..3 {
        let told = actor.commit(vec![claim(5)]).await;
        assert!(told.claimed.is_empty());
        assert_eq!(told.next_due, Some(at(60)));
    }
    assert_eq!(version(&mut other).await, before, "nothing was written");
}

#[tokio::test]
async fn a_task_that_its_own_batch_claims_is_written_once() {
    let place = Place::new();
    let store = place.store();
    let actor = Actor::join(&store, "one").await;
    meddle(
        &place.path,
        "CREATE TABLE writes (kind TEXT);
         CREATE TRIGGER updates AFTER UPDATE ON loom_tasks
             BEGIN INSERT INTO writes VALUES ('update'); END;",
    )
    .await;
    let claimed = actor.commit(vec![insert(task("a")), insert(task("b")), claim(1)]).await.claimed;
    assert_eq!(claimed, [actor.read("a").await]);
    let mut other = connect(&place.path).await;
    let updates = "SELECT count(*) FROM writes";
    let count: i64 = sqlx::query_scalar(updates).fetch_one(&mut other).await.unwrap();
    assert_eq!(count, 0, "nothing was due before, so it went in as it came out");

    // Now `b` is due before `c` and is taken first.
    let claimed = actor.commit(vec![insert(task("c")), claim(1)]).await.claimed;
    assert_eq!(claimed, [actor.read("b").await]);
    let count: i64 = sqlx::query_scalar(updates).fetch_one(&mut other).await.unwrap();
    assert_eq!(count, 1);
}

fn names(claimed: &[Task]) -> Vec<&str> {
    claimed.iter().map(|task| task.id.as_str()).collect()
}

/// What a claim for one task takes, beside the ops of its batch.
async fn take_one(actor: &Actor<'_>, ops: impl IntoIterator<Item = Op>) -> Vec<Task> {
    actor.commit(ops.into_iter().chain([claim(1)]).collect()).await.claimed
}

#[tokio::test]
async fn what_else_its_batch_does_decides_whether_an_insert_is_claimed() {
    let store = SqliteStore::in_memory();
    let actor = Actor::join(&store, "one").await;
    let first = take_one(&actor, [insert(task("first"))]).await;
    assert_eq!(names(&first), ["first"]);

    let taken = take_one(&actor, [insert(task("first")), insert(task("a"))]).await;
    assert_eq!(names(&taken), ["a"], "a duplicate takes nobody's place");
    let taken = take_one(&actor, [insert(task("b")), insert(task("b"))]).await;
    assert_eq!(names(&taken), ["b"], "a task that comes twice is claimed once");

    let due = at(10);
    let retry = Transition::retry(&first[0], due, due, RetryReason::Failed, Ended::default());
    let mut new = task("c");
    new.request.run_at = Some(due);
    let taken = take_one(&actor, [insert(new), Op::Apply(Box::new(retry))]).await;
    assert_eq!(names(&taken), ["first"], "a retry of its batch is as due, and was there before");
    let taken = take_one(&actor, []).await;
    assert_eq!(names(&taken), ["c"]);

    let cancel = Op::Cancel(Cancel { task: id("d"), at: at(1) });
    let taken = take_one(&actor, [insert(task("d")), insert(task("e")), cancel]).await;
    assert_eq!(names(&taken), ["e"], "what is cancelled with its insert is not claimed");
    let mut later = task("f");
    later.request.run_at = Some(at(60));
    let taken = take_one(&actor, [insert(later), insert(task("g"))]).await;
    assert_eq!(names(&taken), ["g"], "what is due later is not claimed");
}

#[tokio::test]
async fn a_claim_that_took_its_own_inserts_does_not_stand_in_the_way_of_the_next() {
    let store = SqliteStore::in_memory();
    let actor = Actor::join(&store, "one").await;
    assert_eq!(names(&take_one(&actor, ["a", "b"].map(|name| insert(task(name)))).await), ["a"]);
    assert_eq!(names(&take_one(&actor, []).await), ["b"]);
}

#[tokio::test]
async fn names_hold_what_they_held() {
    let place = Place::new();
    let store = place.store();
    let actor = Actor::join(&store, "one").await;
    let mut odd = task("\"'\\ü");
    odd.engine_name = "engine\0\"".to_owned();
    odd.request.project_id = "project\0'".to_owned();
    odd.request.worker_type = "type\0\\".into();
    odd.request.prompt = "\0".to_owned();
    odd.request = odd.request.metadata("fraction", 3_040_900.993_826_735_8);
    actor.commit(vec![insert(odd.clone())]).await;
    let stored = actor.read("\"'\\ü").await;
    assert!(stored == odd.into_task(stored.seq), "{stored:?}");
    let ended = Ended { result: "\0r".to_owned(), ..Ended::default() };
    let abandon = Transition::abandon(&stored, at(1), ended);
    actor.commit(vec![Op::Apply(Box::new(abandon))]).await;
    assert_eq!(store.get(&[id("\"'\\ü")]).await.unwrap()[0].result, "\0r");
}

#[tokio::test]
async fn after_the_end_of_its_process_a_task_is_there() {
    let place = Place::new();
    let store = place.store();
    let actor = Actor::join(&store, "one").await;
    actor.commit(vec![insert(task("t"))]).await;
    let before = actor.read("t").await;
    // Without a word: neither left nor closed.
    drop(actor);
    drop(store);
    let again = place.store();
    assert_eq!(again.get(&[id("t")]).await.unwrap(), [before]);
}

#[tokio::test]
async fn tasks_without_a_project_are_found_by_asking_for_none() {
    let place = Place::new();
    let store = place.store();
    let actor = Actor::join(&store, "one").await;
    let mut website = task("website");
    website.request.project_id = "website".to_owned();
    actor.commit(vec![insert(task("none")), insert(website)]).await;
    for (project, expected) in [("", "none"), ("website", "website")] {
        let query = TaskQuery::all().project(project);
        let page = store.list(&query).await.unwrap();
        let ids: Vec<&str> = page.tasks.iter().map(|task| task.id.as_str()).collect();
        assert_eq!(ids, [expected]);
        assert_eq!(store.count(&query).await.unwrap().total(), 1);
    }
}

#[tokio::test]
async fn a_question_that_was_given_up_does_not_disturb_the_end() {
    let place = Place::new();
    // In memory, questions are asked of the connection that writes.
    for store in [SqliteStore::in_memory(), place.store()] {
        let actor = Actor::join(&store, "one").await;
        let many = (0..2000).map(|number| insert(task(&format!("t{number}"))));
        actor.commit(many.collect()).await;
        let query = TaskQuery::all().worker_type("work");
        for _ in 0..50 {
            let asked = store.count(&query);
            tokio::pin!(asked);
            // Asked, and most often dropped before there is an answer.
            let _ = asked.as_mut().now_or_never();
            tokio::task::yield_now().await;
        }
        actor.commit(vec![insert(task("last"))]).await;
        assert_eq!(store.count(&query).await.unwrap().total(), 2001);
        drop(actor);
        store.close().await.unwrap();
    }
}
