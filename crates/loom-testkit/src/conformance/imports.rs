//! Cases: taking over tasks of another system. Of stores that can.

use std::time::Duration;

use loom_core::{
    Applied, Capability, Ended, FailureCode, Imported, Metadata, NewTask, Op, Progress, StoreError,
    TaskQuery, TaskRequest, TaskStatus, limits,
};
use serde_json::json;

use super::harness::{Harness, broken};
use super::samples::{WORK, at, claim, id, insert, new_task, plain};

const STRANGE: &str = "a\0b\u{1}\r\n'\"\\%;-- \u{7f}ü漢字𝄞\u{10ffff}";

fn import(task: Imported) -> Op {
    Op::Import(Box::new(task))
}

fn ended() -> Ended {
    Ended {
        result: format!("{STRANGE} result"),
        error: Some(format!("{STRANGE} error")),
        failure: Some(FailureCode::Crashed),
        metadata: None,
    }
}

/// A task with something in every field, some of it longer than a request may be.
fn full(name: &str) -> NewTask {
    let long = "x".repeat(limits::NAME_BYTES_MAX + 1);
    let mut request = TaskRequest::new(WORK, format!("{STRANGE} prompt"))
        .project(long.clone())
        .request_id(long.clone())
        .cwd("/srv/a b")
        .env("NAME", STRANGE)
        .cli("tool")
        .role(long)
        .model("model")
        .effort("high")
        .timeout(Duration::from_secs(3600))
        .idle_timeout(Duration::from_millis(1500))
        .deadline(Duration::from_secs(86_400))
        .max_retries(7)
        .metadata("key", json!({"list": [1, null, STRANGE, 0.1]}));
    request.trace_context = Some("a trace".to_owned());
    let mut new = new_task(name, request);
    new.engine_name = "another".to_owned();
    new.daemon_id = Some("a daemon".to_owned());
    new
}

fn progress() -> Progress {
    let mut progress = Progress::default();
    progress.line = "l".repeat(limits::PROGRESS_LINE_BYTES_MAX + 1);
    progress.lines = 17;
    progress.at = Some(at(4));
    progress
}

fn origin() -> Metadata {
    let mut origin = Metadata::new();
    origin.insert("last_seen_at".to_owned(), "2026-01-01T00:00:05Z".into());
    origin.insert("more".to_owned(), json!([STRANGE, 7]));
    origin
}

/// A store without the capability refuses the batch, and with it all its ops.
pub async fn a_store_that_cannot_import_refuses_the_batch(h: &Harness) {
    if h.can(Capability::Import) {
        return;
    }
    let actor = h.join().await;
    let batch = actor.batch(vec![insert(plain("new")), import(Imported::pending(plain("old")))]);
    match actor.send(&batch).await {
        Err(StoreError::Unsupported(Capability::Import)) => {}
        other => broken(&format!("an op it cannot do is `Unsupported` (it answered {other:?})")),
    }
    assert!(h.find(&id("new")).await.is_none(), "a refused batch inserts nothing");
}

/// Every field of an imported task is stored as it is, with any status it can have.
pub async fn everything_of_an_imported_task_comes_back(h: &Harness) {
    if !h.can(Capability::Import) {
        return;
    }
    let tasks = [
        Imported::pending(full("pending")).left(ended()),
        Imported::retrying(full("retrying"), at(30)).left(ended()),
        Imported::completed(full("completed"), at(9), ended()),
        Imported::failed(full("failed"), at(9), ended()),
        Imported::crashed(full("failed_crash"), at(9), ended()),
        Imported::cancelled(full("cancelled"), at(9), ended()),
    ];
    let actor = h.join().await;
    for task in tasks {
        let task =
            task.counted(3, 2).dispatched_at(Some(at(2))).progress(progress()).origin(origin());
        let Applied::Inserted { seq } = actor.answer(import(task.clone())).await else {
            broken("a task that was not there is imported");
        };
        let stored = h.task(task.id()).await;
        let expected = task.into_task(seq);
        assert!(stored.status.as_str() == stored.id.as_str(), "its status comes back");
        assert!(stored.error == expected.error, "an error is kept with any status");
        assert!(stored.origin == expected.origin, "what it was elsewhere comes back");
        assert!(stored == expected, "everything of an imported task comes back");
    }
}

/// What another system left out stays left out.
pub async fn what_an_imported_task_lacks_stays_lacking(h: &Harness) {
    if !h.can(Capability::Import) {
        return;
    }
    let mut bare = plain("bare");
    bare.engine_name = String::new();
    let task = Imported::failed(bare, at(5), Ended::default());
    let actor = h.join().await;
    let Applied::Inserted { seq } = actor.answer(import(task.clone())).await else {
        broken("a task without the name of an engine is imported");
    };
    assert_eq!(h.task(&id("bare")).await, task.into_task(seq), "nothing is added to it");
    assert_eq!(h.ids(&TaskQuery::all()).await, [id("bare")], "a list of all tasks shows it");
}

/// A task that is there is left as it is, also one that was imported before.
pub async fn an_import_never_overwrites(h: &Harness) {
    if !h.can(Capability::Import) {
        return;
    }
    let actor = h.join().await;
    let running = actor.running("t").await;
    let seq = running.seq;
    let answer = actor.answer(import(Imported::completed(full("t"), at(9), ended()))).await;
    assert_eq!(answer, Applied::Duplicate { seq }, "a task of the same id is in the way");
    assert_eq!(h.task(&id("t")).await, running, "and nothing is overwritten");

    let first = Imported::completed(plain("u"), at(9), ended());
    let Applied::Inserted { seq } = actor.answer(import(first.clone())).await else {
        broken("a task that was not there is imported");
    };
    let other = Imported::failed(full("u"), at(10), Ended::default());
    let answer = actor.answer(import(other)).await;
    assert_eq!(answer, Applied::Duplicate { seq }, "a second import of an id adds nothing");
    assert_eq!(h.task(&id("u")).await, first.into_task(seq), "and nothing is overwritten");
    let next = actor.insert(plain("next")).await;
    assert!(next > seq, "numbers go on behind those of imported tasks");
}

/// Of several in one batch the first counts, and an insert counts before every import.
pub async fn an_id_is_added_once_within_a_batch(h: &Harness) {
    if !h.can(Capability::Import) {
        return;
    }
    let actor = h.join().await;
    let committed = actor
        .commit(vec![
            import(Imported::completed(plain("a"), at(1), ended())),
            import(Imported::failed(plain("a"), at(2), ended())),
            import(Imported::completed(plain("b"), at(1), ended())),
            insert(plain("b")),
            import(Imported::completed(plain("c"), at(1), ended())),
        ])
        .await;
    let inserted = committed.applied.iter().map(|it| matches!(it, Applied::Inserted { .. }));
    let expected = [true, false, false, true, true];
    assert!(inserted.eq(expected), "an id is added once: {:?}", committed.applied);
    assert_eq!(h.task(&id("a")).await.status, TaskStatus::Completed, "the first of two counts");
    assert_eq!(h.task(&id("b")).await.status, TaskStatus::Pending, "an insert counts before");
    for (applied, name) in committed.applied.iter().zip(["a", "a", "b", "b", "c"]) {
        let seq = h.task(&id(name)).await.seq;
        let (Applied::Inserted { seq: told } | Applied::Duplicate { seq: told }) = applied else {
            broken("an import is answered as an insert is");
        };
        assert_eq!(*told, seq, "the answer names the number of the task that is there");
    }
}

/// An imported task that waits is claimed when it is due, by its engine and no other.
pub async fn imported_tasks_that_wait_are_claimed(h: &Harness) {
    if !h.can(Capability::Import) {
        return;
    }
    let actor = h.join().await;
    let mut unnamed = plain("unnamed");
    unnamed.engine_name = String::new();
    let committed = actor
        .commit(vec![
            import(Imported::pending(plain("pending"))),
            import(Imported::retrying(plain("retrying"), at(20)).counted(1, 1)),
            import(Imported::completed(plain("completed"), at(1), ended())),
            import(Imported::pending(unnamed)),
            Op::Claim(claim(10, 10)),
        ])
        .await;
    let claimed: Vec<_> = committed.claimed.iter().map(|task| task.id.clone()).collect();
    assert_eq!(claimed, [id("pending")], "a batch claims what it imported and is due");
    assert_eq!(committed.next_due, Some(at(20)), "and tells when the next is");
    assert_eq!(actor.take(claim(10, 20)).await, [id("retrying")], "a retry is taken when due");
    let retried = h.task(&id("retrying")).await;
    assert_eq!((retried.attempt, retried.retries), (2, 1), "and its attempts are counted on");
    let left = h.task(&id("unnamed")).await.status;
    assert_eq!(left, TaskStatus::Pending, "what has no engine is nobody's");
}

/// What is due longer goes first, whether it was imported or inserted by the batch that claims.
pub async fn imports_and_inserts_of_a_batch_are_claimed_in_order(h: &Harness) {
    if !h.can(Capability::Import) {
        return;
    }
    let actor = h.join().await;
    let mut later = plain("later");
    later.created_at = at(5);
    let committed = actor
        .commit(vec![
            insert(later),
            import(Imported::pending(plain("earlier"))),
            Op::Claim(claim(1, 10)),
        ])
        .await;
    let claimed: Vec<_> = committed.claimed.iter().map(|task| task.id.clone()).collect();
    assert_eq!(claimed, [id("earlier")], "what is due longer goes first");
}

/// Sent again, a batch answers as before and adds nothing.
pub async fn a_repeated_batch_imports_nothing_more(h: &Harness) {
    if !h.can(Capability::Import) {
        return;
    }
    let actor = h.join().await;
    let batch = actor.batch(vec![import(Imported::completed(plain("t"), at(1), ended()))]);
    let first = actor.send(&batch).await.ok();
    let again = actor.send(&batch).await.ok();
    assert!(first.is_some() && first == again, "a repeated number answers as before");
    assert_eq!(h.count(&TaskQuery::all()).await.total(), 1, "and adds nothing");
}
