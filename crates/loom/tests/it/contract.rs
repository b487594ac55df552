//! The JSON, the codes and the kinds of event that the contract names.

use std::sync::Arc;
use std::time::Duration;

use loom::testing::{MemoryStore, scripted};
use loom::{
    Engine, EnvValue, EventType, FailureCode, FakeClock, SequentialIds, TaskRequest, TaskStatus,
    WorkerError, WorkerResult,
};

use crate::document::{CONTRACT, block, code, rows};

async fn finished_task() -> String {
    let clock = Arc::new(FakeClock::default());
    let (worker, mut script) = scripted();
    let engine = Engine::builder("default", MemoryStore::new())
        .worker("cli", worker)
        .time(Arc::clone(&clock) as Arc<_>, Arc::clone(&clock) as Arc<_>)
        .ids(Arc::new(SequentialIds::new()))
        .start()
        .await
        .unwrap();
    let request = TaskRequest::new("cli", "fix the failing tests")
        .project("website")
        .cwd("/srv/website")
        .env("LANG", "C")
        .env("API_KEY", EnvValue::from_host("WORK_API_KEY"))
        .timeout(Duration::from_millis(1500))
        .metadata("ticket", 7);
    let submitted = engine.submit(request).await.unwrap();
    let attempt = script.next().await;
    clock.advance(Duration::from_secs(1));
    let output = WorkerResult::new("half of it").with("exit_code", 3);
    let error = WorkerError::permanent("exit status 3").with_code(FailureCode::ExitStatus);
    attempt.finish(Err(error.with_output(output)));
    let task = engine.wait(&submitted.id).await.unwrap();
    engine.close().await.unwrap();
    serde_json::to_string_pretty(&task).unwrap()
}

#[tokio::test]
async fn the_contract_shows_a_task_as_it_is_serialised() {
    let task = finished_task().await;
    assert!(
        block(CONTRACT, "json").trim_end() == task,
        "put this into the json block of docs/contract.md:\n\n{task}"
    );
}

#[test]
fn the_contract_names_every_failure_code_once() {
    let (_, codes) = CONTRACT.split_once("Failure codes of tasks: ").unwrap();
    let (codes, _) = codes.split_once('.').unwrap();
    let named: Vec<&str> = code(codes).collect();
    assert_eq!(named, FailureCode::ALL.map(FailureCode::as_str));
}

#[test]
fn the_contract_describes_every_status() {
    let described: Vec<TaskStatus> = rows(CONTRACT)
        .skip(1)
        .map_while(|row| code(row[0]).next()?.parse::<TaskStatus>().ok())
        .collect();
    assert_eq!(described, TaskStatus::ALL);
}

#[test]
fn the_contract_names_every_kind_of_event() {
    let named: Vec<&str> =
        code(CONTRACT).filter(|text| text.parse::<EventType>().is_ok()).collect();
    assert_eq!(named, EventType::ALL.map(EventType::as_str));
}
