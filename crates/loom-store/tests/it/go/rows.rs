//! What becomes of single rows.

use std::time::Duration;

use loom_core::{EnvValue, FailureCode, TaskStatus};
use serde_json::{Value, json};

use super::{LATER, go, now, one, read, stored};
use crate::support::at;

#[tokio::test]
async fn every_version_is_read() {
    for later in 0..=LATER.len() {
        let place = go(
            later,
            &["INSERT INTO tasks (id, worker_type, project_id, prompt, created_at) \
                VALUES ('t', 'cli', 'p', 'do it', '2026-01-01 00:00:01 +0000 UTC')"],
        )
        .await;
        let task = one(&place).await;
        assert_eq!((task.id.as_str(), task.status), ("t", TaskStatus::Pending), "{later}");
        assert_eq!((task.created_at, task.run_at), (at(1), Some(at(1))), "{later}");
        assert_eq!((task.engine_name.as_str(), task.daemon_id), ("", None), "{later}");
        assert_eq!(task.origin.get("tenant_id").is_some(), later >= 3, "{later}");
        assert_eq!((task.attempt, task.retries, task.dispatched_at), (0, 0, None), "{later}");
    }
}

#[tokio::test]
async fn a_table_from_before_request_ids_is_read() {
    let drop = "ALTER TABLE tasks DROP COLUMN request_id";
    let insert = "INSERT INTO tasks (id, worker_type, project_id, prompt, created_at) \
                  VALUES ('t', 'cli', '', '', '2026-01-01 00:00:00+00:00')";
    let task = one(&go(0, &[drop, insert]).await).await;
    assert_eq!((task.request_id, task.created_at), (None, at(0)));
}

#[tokio::test]
async fn everything_of_the_latest_version_is_kept() {
    let place = go(
        5,
        &["PRAGMA foreign_keys = OFF; ALTER TABLE tasks ADD COLUMN priority INTEGER; ALTER TABLE tasks ADD COLUMN score REAL;
           ALTER TABLE tasks ADD COLUMN labels BLOB; ALTER TABLE tasks ADD COLUMN empty TEXT;
           INSERT INTO tasks VALUES ('t', 'running', 'cli', 'p', 'r', 'do it', '/srv', '{\"A\":\"1\"}',
           'codex', 'coder', 'gpt', 'high', 90, '{\"a\":{\"b\":[1,0.1]}}', 'half', 'it broke', 2,
           '2026-01-01 02:00:00.5 +0200 CEST', '2026-01-01 00:00:01.25+00:00', NULL, 'daemon',
           '2026-01-01T00:00:02Z', '', 'website', 'acme', 'line 17', 17,
           '2026-01-01 00:00:03 +0000 UTC m=+3.5', 'parent', 7, 0.5, x'ff00', '')"],
    )
    .await;
    let task = one(&place).await;
    assert_eq!(task.status, TaskStatus::FailedCrash);
    assert_eq!(task.failure, Some(FailureCode::Crashed));
    assert_eq!(task.error.as_deref(), Some("it broke"), "an error that is there is kept");
    assert_eq!((task.result.as_str(), task.completed_at), ("half", Some(now())));
    assert_eq!((task.attempt, task.retries), (3, 2));
    assert_eq!(task.timeout, Some(Duration::from_secs(90)));
    assert!(task.env.get("A") == Some(&EnvValue::Literal("1".to_owned())));
    assert_eq!(Value::Object(task.metadata.clone()), json!({"a": {"b": [1, 0.1]}}));
    assert_eq!(
        (task.created_at.as_micros(), task.engine_name.as_str()),
        (at(0).as_micros() + 500_000, "website")
    );
    assert_eq!(task.daemon_id.as_deref(), Some("daemon"));
    let progress = &task.progress;
    assert_eq!((progress.line.as_str(), progress.lines, progress.at), ("line 17", 17, Some(at(3))));
    let origin = json!({
        "status": "running",
        "created_at": "2026-01-01 02:00:00.5 +0200 CEST",
        "progress_updated_at": "2026-01-01 00:00:03 +0000 UTC m=+3.5",
        "last_seen_at": "2026-01-01T00:00:02Z",
        "tenant_id": "acme",
        "parent_task_id": "parent",
        "priority": 7,
        "score": 0.5,
        "labels": {"hex": "ff00"},
    });
    assert_eq!(Value::Object(task.origin.clone()), origin);
    let imported = read(&place.path).await.unwrap().tasks;
    assert_eq!(stored(&imported).await, [imported[0].clone().into_task(1)]);
}

#[tokio::test]
async fn what_waits_and_what_has_ended_keeps_its_place() {
    let place = go(
        0,
        &["INSERT INTO tasks (id, status, worker_type, project_id, prompt, result, error, retries,
               created_at, dispatched_at, completed_at) VALUES
           ('retrying', 'retrying', 'w', '', '', 'old', 'why', 1, '2026-01-01', '2026-01-01', '2026-01-02'),
           ('counted late', 'retrying', 'w', '', '', '', '', 0, '2026-01-01', '2026-01-01', NULL),
           ('completed', 'completed', 'w', '', '', 'r', 'e', 1, '2026-01-01', '2026-01-01', '2026-01-02'),
           ('crashed', 'failed_crash', 'w', '', '', '', '', 0, '2026-01-01', NULL, NULL),
           ('late', 'dispatched', 'w', '', '', 'r', '', 0, '2026-01-01', '2026-01-01', '2026-01-02')"],
    )
    .await;
    let tasks = read(&place.path).await.unwrap().tasks;
    let [retrying, late_count, completed, crashed, late] = &tasks[..] else { panic!("{tasks:?}") };
    let task = retrying.as_task();
    assert_eq!((task.status, task.run_at), (TaskStatus::Retrying, Some(now())));
    assert_eq!((task.attempt, task.retries, task.completed_at), (1, 1, None));
    assert_eq!((task.result.as_str(), task.error.as_deref()), ("old", Some("why")));
    assert_eq!(task.origin.get("completed_at"), Some(&json!("2026-01-02")));
    assert_eq!((late_count.as_task().attempt, late_count.as_task().retries), (1, 0));
    let task = completed.as_task();
    assert_eq!((task.status, task.error.as_deref()), (TaskStatus::Completed, Some("e")));
    assert_eq!((task.attempt, task.completed_at), (2, Some(at(86_400))));
    let task = crashed.as_task();
    assert_eq!((task.status, task.failure), (TaskStatus::FailedCrash, None));
    assert_eq!((task.completed_at, task.error.as_deref()), (Some(now()), None));
    assert_eq!(task.origin.get("completed_at"), Some(&Value::Null), "it has none over there");
    let task = late.as_task();
    assert_eq!((task.status, task.completed_at), (TaskStatus::FailedCrash, Some(at(86_400))));
    assert_eq!(task.origin.get("status"), Some(&json!("dispatched")));
    assert!(task.error.as_deref().is_some_and(|error| error.contains("dispatched")));
}

#[tokio::test]
async fn absent_empty_and_odd_values_are_understood() {
    let place = go(
        1,
        &["INSERT INTO tasks (id, worker_type, project_id, prompt, cwd, env, cli, timeout, metadata,
               result, error, retries, created_at, dispatched_at, daemon_uuid) VALUES
           ('nulls', 'w', '', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1767225601, NULL, NULL),
           ('empties', 'w', '', '', '', '', '', 0, '', '', '', '', 1767225601000, '', ''),
           ('words', 'w', '', '', '', 'null', '', -5, 'null', '', '', 0, '2026-01-01T00:00:01Z', '', '')"],
    )
    .await;
    let tasks = read(&place.path).await.unwrap().tasks;
    assert_eq!(tasks.len(), 3);
    for task in &tasks {
        let task = task.as_task();
        assert_eq!((task.created_at, task.dispatched_at), (at(1), None), "{task:?}");
        assert_eq!((&task.cwd, &task.cli, &task.daemon_id), (&None, &None, &None), "{task:?}");
        assert!(task.env.is_empty() && task.metadata.is_empty(), "{task:?}");
        assert_eq!((task.timeout, task.retries, &task.error), (None, 0, &None), "{task:?}");
    }
    let kept = |index: usize| Value::Object(tasks[index].as_task().origin.clone());
    assert_eq!(kept(0), json!({"created_at": 1_767_225_601}));
    assert_eq!(kept(1), json!({"created_at": 1_767_225_601_000_i64}));
    assert_eq!(kept(2), json!({"timeout": -5}));
}

#[tokio::test]
async fn nothing_is_lost_that_loom_cannot_hold() {
    let place = go(
        0,
        &["INSERT INTO tasks (id, worker_type, project_id, prompt, result, error, metadata, created_at)
           VALUES ('t', 'w', '', CAST(x'61006200' AS TEXT), CAST(x'61ff62' AS TEXT),
                   CAST(x'61ff' AS TEXT), '{\"n\":12345678901234567890123}', '2026-01-01')"],
    )
    .await;
    let task = one(&place).await;
    assert_eq!(task.prompt, "a\0b\0");
    assert_eq!((task.result.as_str(), task.error.as_deref()), ("a\u{fffd}b", Some("a\u{fffd}")));
    let origin = json!({
        "result": {"hex": "61ff62"},
        "metadata": "{\"n\":12345678901234567890123}",
    });
    assert_eq!(Value::Object(task.origin), origin, "an error may be a secret: no copy is kept");
}

#[tokio::test]
async fn a_row_that_cannot_be_understood_is_named_and_stops_nothing() {
    let insert = "INSERT INTO tasks (id, status, worker_type, project_id, prompt, env, metadata, \
                  retries, created_at, completed_at) VALUES
        ('first', 'completed', 'w', '', '', '', '', 0, '2026-01-01', '2026-01-01'),
        ('env', 'completed', 'w', '', '', '{\"secret\":', '', 0, '2026-01-01', '2026-01-01'),
        ('metadata', 'completed', 'w', '', '', '', '[1]', 0, '2026-01-01', '2026-01-01'),
        ('status', 'asleep', 'w', '', '', '', '', 0, '2026-01-01', '2026-01-01'),
        ('worker', 'completed', '', '', '', '', '', 0, '2026-01-01', '2026-01-01'),
        ('retries', 'completed', 'w', '', '', '', '', -1, '2026-01-01', '2026-01-01'),
        ('created', 'completed', 'w', '', '', '', '', 0, 'soon', '2026-01-01'),
        ('no time', 'completed', 'w', '', '', '', '', 0, '', '2026-01-01'),
        (NULL, 'completed', 'w', '', '', '', '', 0, '2026-01-01', '2026-01-01'),
        ('0123456789012345678901234567890123456789012345678901234567890123456789', 'completed', 'w',
            '', '', '', '', 0, '2026-01-01', '2026-01-01'),
        ('last', 'completed', 'w', '', '', '', '', 0, '2026-01-01', '2026-01-01')";
    let page = read(&go(0, &[insert]).await.path).await.unwrap();
    let ids: Vec<_> = page.tasks.iter().map(|task| task.id().as_str()).collect();
    assert_eq!(ids, ["first", "last"]);
    let named: Vec<_> =
        page.unreadable.iter().map(|row| (row.id.as_str(), row.why.as_str())).collect();
    let expected = [
        ("env", "env"),
        ("metadata", "metadata"),
        ("status", "status"),
        ("worker", "worker_type"),
        ("retries", "retries is -1"),
        ("created", "created_at"),
        ("no time", "created_at"),
        ("row 9", "id"),
        ("0123456789012345678901234567890123456789012345678901234567890123456789", "64 bytes"),
    ];
    assert_eq!(named.len(), expected.len(), "{named:?}");
    for ((id, why), (expected_id, word)) in named.into_iter().zip(expected) {
        assert_eq!(id, expected_id);
        assert!(why.contains(word) && !why.contains("secret"), "{id}: {why}");
    }
}

#[tokio::test]
async fn tasks_without_an_engine_can_be_given_one() {
    let insert = "INSERT INTO tasks (id, worker_type, project_id, prompt, created_at, engine_name) \
                  VALUES ('a', 'w', '', '', '2026-01-01', ''), ('b', 'w', '', '', '2026-01-01', 'b')";
    let place = go(2, &[insert]).await;
    let database = loom_store::GoDatabase::open(&place.path).await.unwrap();
    let mut database = database.unnamed_engine("website");
    assert_eq!(database.count().await.unwrap(), 2);
    let page = database.page(now()).await.unwrap().unwrap();
    let names: Vec<_> = page.tasks.iter().map(|task| task.as_task().engine_name.as_str()).collect();
    assert_eq!(names, ["website", "b"]);
    assert!(database.page(now()).await.unwrap().is_none());
}

#[tokio::test]
async fn pages_are_bounded_by_rows_and_by_bytes() {
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
                INSERT INTO tasks (id, worker_type, project_id, prompt, created_at)
                SELECT 't' || i, 'w', '', '', '2026-01-01' FROM n";
    let large = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5)
                 INSERT INTO tasks (id, worker_type, project_id, prompt, created_at)
                 SELECT 'l' || i, 'w', '', hex(zeroblob(2500000)), '2026-01-01' FROM n";
    for (insert, expected) in [(rows, vec![1000, 1000, 500]), (large, vec![2, 2, 1])] {
        let place = go(0, &[insert]).await;
        let mut database = loom_store::GoDatabase::open(&place.path).await.unwrap();
        let mut sizes = Vec::new();
        while let Some(page) = database.page(now()).await.unwrap() {
            sizes.push(page.tasks.len());
        }
        assert_eq!(sizes, expected);
    }
}
