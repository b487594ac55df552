//! Requests are checked against every limit, at its edge.

use std::time::Duration;

use loom_core::{InvalidRequest, TaskRequest, limits};

use crate::support::at;

fn request() -> TaskRequest {
    TaskRequest::new("work", "do it")
}

/// Of `limit` bytes, with a character of two bytes at the end.
fn text(bytes: usize) -> String {
    format!("{}ü", "x".repeat(bytes - 2))
}

fn field_of(refusal: Result<(), InvalidRequest>) -> Option<&'static str> {
    refusal.err().map(|refusal| refusal.field())
}

/// A field, its limit, and a request with that field set.
type Bounded = (&'static str, usize, fn(String) -> TaskRequest);

#[test]
fn every_text_may_have_its_limit_and_not_a_byte_more() {
    let fields: [Bounded; 10] = [
        ("worker_type", limits::NAME_BYTES_MAX, |text| TaskRequest::new(text, "do it")),
        ("prompt", limits::PROMPT_BYTES_MAX, |text| TaskRequest::new("work", text)),
        ("project_id", limits::NAME_BYTES_MAX, |text| request().project(text)),
        ("request_id", limits::NAME_BYTES_MAX, |text| request().request_id(text)),
        ("cli", limits::NAME_BYTES_MAX, |text| request().cli(text)),
        ("role", limits::NAME_BYTES_MAX, |text| request().role(text)),
        ("model", limits::NAME_BYTES_MAX, |text| request().model(text)),
        ("effort", limits::NAME_BYTES_MAX, |text| request().effort(text)),
        ("cwd", limits::CWD_BYTES_MAX, |text| request().cwd(text)),
        ("trace_context", limits::NAME_BYTES_MAX, |text| {
            let mut request = request();
            request.trace_context = Some(text);
            request
        }),
    ];
    for (field, limit, with) in fields {
        assert_eq!(with(text(limit)).check(), Ok(()), "{field} of {limit} bytes");
        let refusal = with(text(limit + 1)).check();
        assert_eq!(field_of(refusal), Some(field), "{field} of {} bytes", limit + 1);
    }
}

#[test]
fn texts_that_a_command_is_given_hold_no_nul() {
    let nul = "a\0b";
    for (field, request) in [
        ("worker_type", TaskRequest::new(nul, "do it")),
        ("project_id", request().project(nul)),
        ("request_id", request().request_id(nul)),
        ("cwd", request().cwd(nul)),
        ("cli", request().cli(nul)),
        ("role", request().role(nul)),
        ("model", request().model(nul)),
        ("effort", request().effort(nul)),
        ("env", request().env("NAME", nul)),
        ("env", request().env(nul, "value")),
        ("env", request().env("NAME", loom_core::EnvValue::from_host(nul))),
    ] {
        assert_eq!(field_of(request.check()), Some(field), "{field}");
    }
    assert_eq!(TaskRequest::new("work", nul).check(), Ok(()), "a prompt may hold anything");
    assert_eq!(request().metadata(nul, nul).check(), Ok(()), "and so may metadata");
}

#[test]
fn a_worker_type_is_named() {
    for worker_type in ["", "a\nb", "\u{7f}"] {
        let refusal = TaskRequest::new(worker_type, "do it").check();
        assert_eq!(field_of(refusal), Some("worker_type"), "{worker_type:?}");
    }
}

#[test]
fn a_prompt_may_be_empty() {
    assert_eq!(TaskRequest::new("work", "").check(), Ok(()));
}

#[test]
fn names_of_variables_are_names() {
    for name in ["", "A=B", "="] {
        assert_eq!(field_of(request().env(name, "value").check()), Some("env"), "{name:?}");
    }
    let odd = request().env("with space", "a=b\n").env("É", "");
    assert_eq!(odd.check(), Ok(()));
}

#[test]
fn all_variables_together_keep_to_their_limit() {
    let filled =
        |bytes: usize| request().env("A", "x".repeat(10)).env("BC", "x".repeat(bytes - 13));
    assert_eq!(filled(limits::ENV_BYTES_MAX).check(), Ok(()));
    assert_eq!(field_of(filled(limits::ENV_BYTES_MAX + 1).check()), Some("env"));
}

#[test]
fn metadata_keep_to_their_limit_as_json() {
    let filled =
        |bytes: usize| request().metadata("key", "x".repeat(bytes - r#"{"key":""}"#.len()));
    assert_eq!(filled(limits::METADATA_BYTES_MAX).check(), Ok(()));
    assert_eq!(field_of(filled(limits::METADATA_BYTES_MAX + 1).check()), Some("metadata"));
}

/// A time, and a request with that time set.
type Timed = (&'static str, fn(Duration) -> TaskRequest);

#[test]
fn a_timeout_leaves_some_time() {
    let times: [Timed; 3] = [
        ("timeout", |time| request().timeout(time)),
        ("idle_timeout", |time| request().idle_timeout(time)),
        ("deadline", |time| request().deadline(time)),
    ];
    for (field, with) in times {
        assert_eq!(field_of(with(Duration::ZERO).check()), Some(field));
        assert_eq!(with(Duration::from_nanos(1)).check(), Ok(()), "{field}");
        assert_eq!(with(Duration::MAX).check(), Ok(()), "{field}");
    }
}

#[test]
fn retries_keep_to_their_limit() {
    assert_eq!(request().max_retries(0).check(), Ok(()));
    assert_eq!(request().max_retries(limits::RETRIES_MAX).check(), Ok(()));
    let refusal = request().max_retries(limits::RETRIES_MAX + 1).check();
    assert_eq!(field_of(refusal), Some("max_retries"));
}

#[test]
fn a_refusal_says_what_is_wrong_and_by_how_much() {
    let refusal = request().project("x".repeat(300)).check().unwrap_err();
    assert_eq!(refusal.to_string(), "project_id: 300 bytes are more than the limit of 256");
}

#[test]
fn a_refusal_shows_no_value_of_a_variable() {
    let refusal = request().env("NAME", "geheim\0").check().unwrap_err();
    assert!(!format!("{refusal} {refusal:?}").contains("geheim"));
}

#[test]
fn a_builder_sets_the_field_it_is_named_after() {
    let request = TaskRequest::new("work", "prompt")
        .project("project")
        .request_id("request")
        .cwd("/srv")
        .env("NAME", "value")
        .env("NAME", "last")
        .cli("cli")
        .role("role")
        .model("model")
        .effort("effort")
        .timeout(Duration::from_secs(3))
        .idle_timeout(Duration::from_secs(2))
        .deadline(Duration::from_secs(9))
        .max_retries(4)
        .metadata("key", 5)
        .run_at(at(6))
        .delay(Duration::from_secs(8));
    assert_eq!(request.worker_type.as_str(), "work");
    assert_eq!(request.prompt, "prompt");
    assert_eq!(request.project_id, "project");
    assert_eq!(request.request_id.as_deref(), Some("request"));
    assert_eq!(request.cwd.as_deref(), Some("/srv"));
    assert_eq!(request.env.len(), 1);
    assert_eq!(request.env.get("NAME"), Some(&"last".into()));
    assert_eq!(request.cli.as_deref(), Some("cli"));
    assert_eq!(request.role.as_deref(), Some("role"));
    assert_eq!(request.model.as_deref(), Some("model"));
    assert_eq!(request.effort.as_deref(), Some("effort"));
    assert_eq!(request.timeout, Some(Duration::from_secs(3)));
    assert_eq!(request.idle_timeout, Some(Duration::from_secs(2)));
    assert_eq!(request.deadline, Some(Duration::from_secs(9)));
    assert_eq!(request.max_retries, Some(4));
    assert_eq!(request.metadata.get("key"), Some(&5.into()));
    assert_eq!(request.run_at, Some(at(6)));
    assert_eq!(request.delay, Some(Duration::from_secs(8)));
    assert_eq!(request.check(), Ok(()));
}

#[test]
fn a_task_is_due_when_it_was_made_or_later_if_asked() {
    let due = |request: TaskRequest| crate::support::task_of(request).run_at;
    assert_eq!(due(request()), Some(at(0)));
    assert_eq!(due(request().run_at(at(50))), Some(at(50)));
    assert_eq!(due(request().run_at(at(-50))), Some(at(0)), "the past is now");
}

#[test]
fn a_delay_counts_from_the_submission_and_the_later_of_two_moments_wins() {
    let due = |request: TaskRequest| crate::support::task_of(request).run_at;
    let minute = Duration::from_secs(60);
    assert_eq!(due(request().delay(minute)), Some(at(60)));
    assert_eq!(due(request().delay(minute).run_at(at(120))), Some(at(120)));
    assert_eq!(due(request().delay(3 * minute).run_at(at(120))), Some(at(180)));
}
