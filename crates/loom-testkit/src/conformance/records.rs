//! Cases: what is stored comes back as it was.

use std::time::Duration;

use loom_core::{
    Ended, EnvValue, FailureCode, Metadata, RetryReason, Task, TaskRequest, Transition, limits,
};
use serde_json::{Value, json};

use super::harness::{Harness, broken, must};
use super::samples::{WORK, at, id, new_task, request};

/// Control characters, quotes, wildcards, several scripts, characters outside the basic plane.
const STRANGE: &str = "a\0b\u{1}\t\r\n'\"\\%_;-- \u{7f}\u{85}ü漢字\u{200f}𝄞👩‍👩‍👧\u{10ffff}\u{feff}";

/// Inserts a task for `request` and reads it back.
async fn back(h: &Harness, name: &str, request: TaskRequest) -> Task {
    h.join().await.insert(new_task(name, request)).await;
    h.task(&id(name)).await
}

/// Every field of a request is stored as it is.
pub async fn every_field_of_a_request_comes_back(h: &Harness) {
    let mut request = TaskRequest::new("some type", "the prompt")
        .project("project")
        .request_id("request")
        .cwd("/srv/a b")
        .env("NAME", "value")
        .cli("tool")
        .role("role")
        .model("model")
        .effort("high")
        .timeout(Duration::from_millis(90_500))
        .idle_timeout(Duration::from_millis(30_250))
        .deadline(Duration::from_secs(86_401))
        .max_retries(7)
        .metadata("key", json!({"list": [1, null, "x"]}))
        .run_at(at(3600));
    request.trace_context = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    must(request.check(), "the suite stores what an engine would take");
    let actor = h.join().await;
    let mut new = new_task("t", request);
    new.engine_name = "some engine".to_owned();
    new.created_at = at(12);
    new.pinned_to = Some(actor.id().clone());
    let seq = actor.insert(new.clone()).await;
    let stored = h.task(&id("t")).await;
    let expected = new.into_task(seq);
    let compared = [
        ("worker_type", stored.worker_type == expected.worker_type),
        ("prompt", stored.prompt == expected.prompt),
        ("project_id", stored.project_id == expected.project_id),
        ("request_id", stored.request_id == expected.request_id),
        ("engine_name", stored.engine_name == expected.engine_name),
        ("cwd", stored.cwd == expected.cwd),
        ("env", stored.env == expected.env),
        ("cli", stored.cli == expected.cli),
        ("role", stored.role == expected.role),
        ("model", stored.model == expected.model),
        ("effort", stored.effort == expected.effort),
        ("timeout", stored.timeout == expected.timeout),
        ("idle_timeout", stored.idle_timeout == expected.idle_timeout),
        ("deadline", stored.deadline == expected.deadline),
        ("trace_context", stored.trace_context == expected.trace_context),
        ("max_retries", stored.max_retries == expected.max_retries),
        ("metadata", stored.metadata == expected.metadata),
        ("run_at", stored.run_at == expected.run_at),
        ("created_at", stored.created_at == expected.created_at),
        ("pinned_to", stored.pinned_to == expected.pinned_to),
        ("everything else", stored == expected),
    ];
    for (field, same) in compared {
        assert!(same, "a new task comes back as it was: {field}");
    }
}

/// What a request leaves out is absent, not empty.
pub async fn what_is_left_out_stays_left_out(h: &Harness) {
    let actor = h.join().await;
    let new = new_task("t", request());
    let seq = actor.insert(new.clone()).await;
    let stored = h.task(&id("t")).await;
    if stored != new.into_task(seq) {
        broken("what a request leaves out stays left out");
    }
    let empty = request().request_id("").cwd("").cli("").role("").model("").effort("");
    let stored = back(h, "u", empty).await;
    let fields = [stored.request_id, stored.cwd, stored.cli, stored.role, stored.model];
    for field in fields.into_iter().chain([stored.effort]) {
        assert_eq!(field.as_deref(), Some(""), "an empty text is not an absent one");
    }
}

/// Texts are stored byte for byte.
pub async fn strange_texts_come_back(h: &Harness) {
    let text = STRANGE.replace('\0', "");
    let request = TaskRequest::new(WORK, STRANGE)
        .project(text.clone())
        .request_id(text.clone())
        .cwd(text.clone())
        .env("É ü", text.clone())
        .role(text.clone())
        .metadata(STRANGE, STRANGE);
    must(request.check(), "the suite stores what an engine would take");
    let stored = back(h, "ünïcode 𝄞", request.clone()).await;
    assert!(stored.prompt == request.prompt, "a prompt comes back byte for byte, NUL and all");
    assert!(stored.project_id == text, "a project comes back byte for byte");
    assert!(stored.request_id.as_ref() == Some(&text), "a request id comes back byte for byte");
    assert!(stored.cwd.as_ref() == Some(&text), "a directory comes back byte for byte");
    assert!(stored.role.as_ref() == Some(&text), "a role comes back byte for byte");
    assert!(stored.env == request.env, "variables come back byte for byte");
    assert!(stored.metadata == request.metadata, "metadata come back byte for byte");
    let query = loom_core::TaskQuery::all().project(text);
    assert_eq!(h.ids(&query).await, [id("ünïcode 𝄞")], "and are found by what they hold");
}

/// The longest prompt that is taken is stored whole.
pub async fn a_prompt_of_a_mebibyte_comes_back(h: &Harness) {
    let prompt = "0123456789abcdeü".repeat(limits::PROMPT_BYTES_MAX / 16);
    let prompt = loom_core::first_bytes(&prompt, limits::PROMPT_BYTES_MAX).to_owned();
    let request = TaskRequest::new(WORK, prompt.clone());
    must(request.check(), "the suite stores what an engine would take");
    let stored = back(h, "t", request).await;
    assert!(stored.prompt == prompt, "a prompt of a mebibyte comes back whole");
}

/// Timeouts are not rounded.
pub async fn a_timeout_below_a_millisecond_comes_back(h: &Harness) {
    let timeouts = [
        Duration::from_micros(1),
        Duration::from_micros(250),
        Duration::from_micros(1_500_001),
        Duration::from_secs(40 * 365 * 24 * 60 * 60),
    ];
    for (n, timeout) in timeouts.into_iter().enumerate() {
        let request = request().timeout(timeout).idle_timeout(timeout).deadline(timeout);
        let stored = back(h, &format!("t{n}"), request).await;
        assert_eq!(stored.timeout, Some(timeout), "a timeout is not rounded");
        assert_eq!(stored.idle_timeout, Some(timeout), "an idle timeout is not rounded");
        assert_eq!(stored.deadline, Some(timeout), "a deadline is not rounded");
    }
    let stored = back(h, "retries", request().max_retries(0)).await;
    assert_eq!(stored.max_retries, Some(0), "no retries is not the same as none asked for");
}

fn metadata(values: Value) -> Metadata {
    match values {
        Value::Object(map) => map,
        _ => Metadata::new(),
    }
}

/// Metadata keep the kind and value of everything in them.
pub async fn metadata_comes_back(h: &Harness) {
    let values = metadata(json!({
        "": "",
        "null": null,
        "bool": [true, false],
        "small": i64::MIN,
        "large": u64::MAX,
        "float": [0.5, -1e300, 3.0],
        "nested": {"a": {"b": [{}, [], [[]]]}},
        "text": STRANGE,
    }));
    let mut request = request();
    request.metadata = values.clone();
    let stored = back(h, "t", request).await;
    assert_eq!(stored.metadata, values, "metadata come back as they were");
}

/// A literal value and a reference to the host's are told apart.
pub async fn variables_come_back_by_their_kind(h: &Harness) {
    let request = request()
        .env("LITERAL", "from_host(KEY)")
        .env("EMPTY", "")
        .env("HOST", EnvValue::from_host("KEY"))
        .env("LINES", "a\nb=c\n");
    let stored = back(h, "t", request.clone()).await;
    for (name, value) in request.env.iter() {
        let same = stored.env.get(name) == Some(value);
        assert!(same, "the variable {name} comes back as the kind and value it was");
    }
    assert!(stored.env.len() == request.env.len(), "and no others come with them");
}

/// Result, error, code and metadata of an end are stored as they are, of a repeated attempt, too.
pub async fn what_an_attempt_leaves_comes_back(h: &Harness) {
    let actor = h.join().await;
    let ended = Ended {
        result: format!("{STRANGE}{}", "r".repeat(1 << 20)),
        error: Some(STRANGE.to_owned()),
        failure: Some(FailureCode::ExitStatus),
        metadata: Some(metadata(json!({"exit_code": 3, "text": STRANGE}))),
    };
    let task = actor.running("failed").await;
    let stored = actor.change(Transition::fail(&task, at(9), ended.clone())).await;
    assert!(stored.result == ended.result, "a result comes back byte for byte");
    assert!(stored.error == ended.error, "an error comes back byte for byte");
    assert_eq!(stored.failure, ended.failure, "a failure code comes back");
    assert!(Some(&stored.metadata) == ended.metadata.as_ref(), "metadata come back");

    let task = actor.running("completed").await;
    let kept = task.metadata.clone();
    let plain = Ended { result: ended.result.clone(), ..Ended::default() };
    let stored = actor.change(Transition::complete(&task, at(9), plain)).await;
    assert!(stored.result == ended.result, "the result of a completed task comes back");
    assert_eq!(stored.metadata, kept, "an end without metadata leaves those that were");

    let task = actor.running("retried").await;
    let retry = Transition::retry(&task, at(9), at(10), RetryReason::Rejected, ended.clone());
    actor.change(retry).await;
    let attempts = h.attempts(&task.id).await;
    let Some(attempt) = attempts.first() else { broken("a repeated attempt is kept") };
    let output = loom_core::first_bytes(&ended.result, limits::ATTEMPT_OUTPUT_BYTES_MAX);
    assert!(attempt.output == output, "the output of a repeated attempt comes back");
    assert!(attempt.error == ended.error, "the error of a repeated attempt comes back");
    assert_eq!(attempt.failure, ended.failure, "so does its failure code");
    assert_eq!(attempt.reason, Some(RetryReason::Rejected), "so does its reason");
}

/// Every failure code can be stored.
pub async fn every_failure_code_comes_back(h: &Harness) {
    let actor = h.join().await;
    for code in FailureCode::ALL {
        let ended =
            Ended { error: Some(code.to_string()), failure: Some(code), ..Ended::default() };
        let task = actor.running(code.as_str()).await;
        let stored = actor.change(Transition::fail(&task, at(9), ended)).await;
        assert_eq!(stored.failure, Some(code), "the failure code {code} comes back");
    }
}
