//! What must not be shown is not shown.

use loom_core::{Env, EnvValue, Op, TaskRequest, WorkerError};
use serde_json::json;

use crate::support::{at, running, task_of};

const CANARY: &str = "geheim-4711";

fn request() -> TaskRequest {
    TaskRequest::new("work", CANARY)
        .project("project")
        .env("API_KEY", CANARY)
        .env("HOST_KEY", EnvValue::from_host("WORK_KEY"))
        .metadata("note", CANARY)
}

fn shows(shown: &str) -> bool {
    shown.contains(CANARY)
}

#[test]
fn debug_of_a_request_shows_neither_prompt_nor_values_nor_metadata() {
    let shown = format!("{:?}", request());
    assert!(!shows(&shown), "{shown}");
    assert!(shown.contains("API_KEY") && shown.contains("project"), "{shown}");
}

#[test]
fn debug_of_a_task_shows_neither_prompt_nor_result_nor_values_nor_metadata() {
    let mut task = task_of(request());
    task.result = CANARY.to_owned();
    let shown = format!("{task:?} {task:#?}");
    assert!(!shows(&shown), "{shown}");
    assert!(shown.contains("id-0") && shown.contains("API_KEY"), "{shown}");
}

#[test]
fn debug_of_what_stores_are_asked_shows_no_request() {
    let new = loom_core::NewTask {
        id: running().id,
        engine_name: "default".to_owned(),
        request: request(),
        created_at: at(0),
        pinned_to: None,
        daemon_id: None,
    };
    let shown = format!("{:?}", Op::Insert(Box::new(new)));
    assert!(!shows(&shown), "{shown}");
}

#[test]
fn debug_and_json_of_an_environment_show_names_only() {
    let env: Env = [("API_KEY", CANARY)].into_iter().collect();
    assert_eq!(format!("{env:?}"), r#"{"API_KEY": [hidden]}"#);
    assert_eq!(json!(env), json!({"API_KEY": "[hidden]"}));
    assert_eq!(format!("{:?}", EnvValue::from(CANARY)), "[hidden]");
    let values: Vec<_> = env.iter().collect();
    assert_eq!(values, [("API_KEY", &EnvValue::Literal(CANARY.to_owned()))]);
}

#[test]
fn json_of_a_task_hides_the_values_of_its_variables() {
    let mut request = request();
    request.prompt = "open".to_owned();
    request.metadata.clear();
    let shown = serde_json::to_string(&task_of(request)).unwrap();
    assert!(!shows(&shown), "{shown}");
    assert!(shown.contains(r#""HOST_KEY":"from_host(WORK_KEY)""#), "{shown}");
}

#[test]
fn a_summary_has_neither_prompt_nor_result_nor_variables_nor_metadata() {
    let mut task = task_of(request());
    task.result = CANARY.to_owned();
    let summary = task.summary();
    let shown = format!("{summary:?} {}", serde_json::to_string(&summary).unwrap());
    assert!(!shows(&shown) && !shown.contains("API_KEY"), "{shown}");
}

#[test]
fn debug_of_an_error_does_not_show_what_was_produced() {
    let shown = format!("{:?}", WorkerError::permanent("no").with_output(CANARY.into()));
    assert!(!shows(&shown), "{shown}");
}
