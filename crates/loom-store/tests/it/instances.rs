//! Who is alive, across processes and copies.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use loom_core::{TaskStore, Transition};
use loom_store::SqliteStore;
use loom_testkit::within;

use crate::support::{Actor, Place, at, claim, connect, insert, task};

/// Tells this test binary, started once more, which database to join.
const CHILD: &str = "LOOM_STORE_TEST_CHILD";

/// This test once more, as another process that joins the database and waits to be killed.
fn other_process(place: &Place) -> Child {
    let test = "instances::an_instance_dies_with_its_process";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, &place.path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.map_while(Result::ok).any(|line| line.contains("joined"));
    assert!(ready, "the other process joins");
    child
}

#[expect(clippy::print_stdout, reason = "the other process is told of on its output")]
async fn be_the_other(path: std::ffi::OsString) {
    let store = SqliteStore::open(path);
    let actor = Actor::join(&store, "child").await;
    actor.commit(vec![insert(task("t")), claim(1)]).await;
    println!("joined");
    // The parent never writes: this waits for the kill, or for the parent's own end.
    let waiting = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    let _ = waiting.await;
}

#[tokio::test]
async fn an_instance_dies_with_its_process() {
    if let Some(path) = std::env::var_os(CHILD) {
        return be_the_other(path).await;
    }
    let place = Place::new();
    let store = place.store();
    let actor = Actor::join(&store, "parent").await;
    let mut child = other_process(&place);
    assert!(actor.membership.dead().await.unwrap().is_empty(), "the other process lives");
    within(Duration::from_secs(30), store.changed()).await.unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut dead = actor.membership.dead().await.unwrap();
    assert_eq!(dead.len(), 1, "the other process is dead");
    let dead = dead.pop().unwrap();
    assert_eq!((dead.instance.id.as_str(), dead.instance.pid), ("child", child.id()));
    let running = actor.read("t").await;
    assert_eq!(running.instance.as_ref(), Some(&dead.instance.id));

    actor.membership.bury(dead).await.unwrap();
    let dead = actor.membership.dead().await.unwrap().pop();
    let dead = dead.expect("while it has a task in hand it is not buried");
    let crash = Transition::crash(&running, at(20), loom_core::Ended::default());
    actor.commit(vec![loom_core::Op::Apply(Box::new(crash))]).await;
    actor.membership.bury(dead).await.unwrap();
    assert!(actor.membership.dead().await.unwrap().is_empty());
}

#[tokio::test]
async fn in_a_copy_an_instance_lives_as_long_as_in_the_original() {
    let (original, copy) = (Place::new(), Place::new());
    let store = original.store();
    let actor = Actor::join(&store, "one").await;
    actor.commit(vec![insert(task("t")), claim(1)]).await;
    let target = copy.path.to_str().unwrap();
    let mut connection = connect(&original.path).await;
    sqlx::query("VACUUM INTO $1").bind(target).execute(&mut connection).await.unwrap();

    let copied = copy.store();
    let other = Actor::join(&copied, "two").await;
    assert!(other.membership.dead().await.unwrap().is_empty(), "its processes are those of one");
    drop(actor);
    assert_eq!(other.membership.dead().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_lost_lock_file_means_dead() {
    let place = Place::new();
    let store = place.store();
    let (one, other) = (Actor::join(&store, "one").await, Actor::join(&store, "two").await);
    drop(other);
    std::fs::remove_file(place.directory.path().join("tasks.db.d/instances/two.lock")).unwrap();
    let dead = one.membership.dead().await.unwrap();
    assert_eq!(dead.len(), 1);
    assert!(one.membership.dead().await.unwrap().is_empty(), "who holds it keeps others away");
}

#[tokio::test]
async fn an_id_joins_once() {
    let place = Place::new();
    let store = place.store();
    let instance = crate::support::instance("one");
    let membership = store.join(&instance).await.unwrap();
    assert!(store.join(&instance).await.is_err(), "while it lives");
    drop(membership);
    assert!(place.store().join(&instance).await.is_err(), "nor after its death");
}

#[tokio::test]
async fn in_memory_nobody_dies_with_another() {
    let store = SqliteStore::in_memory();
    let (one, other) = (Actor::join(&store, "one").await, Actor::join(&store, "two").await);
    assert!(one.membership.dead().await.unwrap().is_empty());
    drop(other);
    let dead = one.membership.dead().await.unwrap();
    assert_eq!(dead.len(), 1);
}
