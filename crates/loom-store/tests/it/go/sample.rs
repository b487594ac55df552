//! A database that the Go library itself has written, and what it says is in it.

use std::path::Path;

use loom_core::{EnvValue, FailureCode, Task, TaskStatus};
use loom_deps::Timestamp;
use serde_json::{Map, Value};

use super::{now, read, stored};
use crate::support::Place;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/go-loom-v0.2.0.db");
const CONTENTS: &str = include_str!("../../data/go-loom-v0.2.0.json");

fn text(go: &Value, field: &str) -> Option<String> {
    go[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn moment(go: &Value, field: &str) -> Option<Timestamp> {
    text(go, field).map(|text| text.parse().unwrap())
}

fn same(task: &Task, go: &Value) {
    let id = go["id"].as_str().unwrap();
    assert_eq!(task.id.as_str(), id);
    assert_eq!(task.worker_type.as_str(), go["worker_type"], "{id}");
    assert_eq!(task.project_id, go["project_id"].as_str().unwrap(), "{id}");
    assert_eq!(task.engine_name, go["engine_name"].as_str().unwrap(), "{id}");
    assert_eq!(task.prompt, go["prompt"].as_str().unwrap(), "{id}");
    assert_eq!(task.request_id, text(go, "request_id"), "{id}");
    assert_eq!(task.cwd, text(go, "cwd"), "{id}");
    assert_eq!(task.cli, text(go, "cli"), "{id}");
    assert_eq!(task.role, text(go, "role"), "{id}");
    assert_eq!(task.model, text(go, "model"), "{id}");
    assert_eq!(task.effort, text(go, "effort"), "{id}");
    assert_eq!(task.result, text(go, "result").unwrap_or_default(), "{id}");
    assert_eq!(task.timeout.map(|time| time.as_secs()), go["timeout"].as_u64(), "{id}");
    assert_eq!(u64::from(task.retries), go["retries"].as_u64().unwrap(), "{id}");
    let metadata = go["metadata"].as_object().cloned().unwrap_or_default();
    assert_eq!(task.metadata, metadata, "{id}");
    let env = go["env"].as_object().cloned().unwrap_or_default();
    assert_eq!(task.env.len(), env.len(), "{id}");
    for (name, value) in env {
        let value = EnvValue::Literal(value.as_str().unwrap().to_owned());
        assert!(task.env.get(&name) == Some(&value), "{id}: {name}");
    }
    assert_eq!(task.created_at, moment(go, "created_at").unwrap(), "{id}");
    assert_eq!(task.dispatched_at, moment(go, "dispatched_at"), "{id}");
    assert_eq!(task.daemon_id, text(&go["raw"], "daemon_uuid"), "{id}");
    standing(task, go);
    assert_eq!(task.origin, origin(go), "{id}");
}

fn standing(task: &Task, go: &Value) {
    let was: TaskStatus = go["status"].as_str().unwrap().parse().unwrap();
    let error = text(go, "error");
    if was.is_owned() {
        assert_eq!(task.status, TaskStatus::FailedCrash);
        assert_eq!(task.failure, Some(FailureCode::Crashed));
        assert_eq!(task.completed_at, Some(now()));
        let error = error.unwrap_or_else(|| task.error.clone().unwrap());
        assert!(task.error.as_ref() == Some(&error) && error.contains(was.as_str()), "{error}");
    } else {
        assert_eq!((task.status, task.failure), (was, None));
        assert_eq!(task.error, error);
        let ended = moment(go, "completed_at").or_else(|| was.is_terminal().then(now));
        assert_eq!(task.completed_at, ended);
    }
    assert_eq!(task.run_at.is_some(), was.is_waiting());
}

/// What loom has no field for.
fn origin(go: &Value) -> Map<String, Value> {
    let mut origin = Map::new();
    let status: TaskStatus = go["status"].as_str().unwrap().parse().unwrap();
    let raw = &go["raw"];
    origin.insert("last_seen_at".to_owned(), raw["last_seen_at"].clone());
    for field in ["created_at", "dispatched_at", "completed_at"] {
        let digits = raw[field].as_str().map_or(0, |text| {
            text.split_once('.').map_or(0, |(_, rest)| rest.split(' ').next().unwrap().len())
        });
        if digits > 6 {
            origin.insert(field.to_owned(), raw[field].clone());
        }
    }
    if status.is_terminal() && raw["completed_at"].is_null() {
        origin.insert("completed_at".to_owned(), Value::Null);
    }
    if status.is_owned() {
        origin.insert("status".to_owned(), status.as_str().into());
    }
    origin
}

#[tokio::test]
async fn every_field_of_every_task_is_taken_over() {
    let place = Place::new();
    std::fs::copy(Path::new(SAMPLE), &place.path).unwrap();
    let page = read(&place.path).await.unwrap();
    assert_eq!(page.unreadable, []);
    let contents: Value = serde_json::from_str(CONTENTS).unwrap();
    let contents = contents["tasks"].as_array().unwrap();
    assert_eq!((page.tasks.len(), contents.len()), (358, 358));
    let tasks = stored(&page.tasks).await;
    for (imported, task) in page.tasks.into_iter().zip(&tasks) {
        assert_eq!(*task, imported.into_task(task.seq), "what is stored is what was read");
        let go = contents.iter().find(|go| go["id"] == task.id.as_str()).unwrap();
        same(task, go);
    }
}
