//! What an answer makes of its attempt.

use loom_core::{CrashPolicy, ErrorKind, QualityGate, Task, TaskContext, Worker, WorkerError};
use loom_testkit::within;
use loom_workers::{HttpBase, HttpRequest, HttpResponse, IDEMPOTENCY_HEADER, TRACE_HEADER};

use super::server::{End, Reply, Server};
use super::{Pretend, asking, gets, run, sends};
use crate::support::LONG;
use loom_workers::http_keys as keys;

#[tokio::test]
async fn an_answer_of_200_is_the_result_and_its_status_is_kept() {
    let headers = [("Content-Type", "text/plain; charset=utf-8")];
    let server = Server::start(move |_, _| Reply::new(200, &headers, "because")).await;
    let result = run(&gets(server.url("/why"))).await.unwrap();
    assert_eq!(result.content, "because");
    assert_eq!(result.metadata[keys::STATUS_CODE], 200);
    assert_eq!(result.metadata[keys::ATTEMPTS], 1);
    assert_eq!(result.metadata[keys::CONTENT_TYPE], "text/plain; charset=utf-8");
    assert!(result.metadata[keys::DURATION_MS].is_u64());
    assert!(!result.metadata.contains_key(keys::BODY_TRUNCATED));
}

#[tokio::test]
async fn an_answer_of_204_is_an_empty_result() {
    let server =
        Server::start(|_, _| Reply::raw("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"))
            .await;
    let result = run(&gets(server.url("/"))).await.unwrap();
    assert_eq!(result.content, "");
    assert_eq!(result.metadata[keys::STATUS_CODE], 204);
    assert!(!result.metadata.contains_key(keys::CONTENT_TYPE));
}

#[tokio::test]
async fn the_call_reaches_the_server_as_it_was_resolved() {
    let server = Server::start(|_, _| Reply::ok("fine")).await;
    let url = server.url("/v1/answers?deep=yes");
    let worker = HttpBase::new(move |task: &Task| {
        let body = serde_json::json!({ "question": task.prompt });
        Ok(HttpRequest::post(url.as_str()).header("X-Api-Key", "key").json(&body))
    });
    let cx = TaskContext::new().with_attempt(2).with_trace_context(Some("00-trace-01"));
    let task = asking("why \"so\"?");
    within(LONG, worker.execute(&cx, &task)).await.unwrap();
    let received = server.received().remove(0);
    assert_eq!(received.method, "POST");
    assert_eq!(received.path, "/v1/answers?deep=yes");
    assert_eq!(received.header("x-api-key"), Some("key"));
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header(IDEMPOTENCY_HEADER), Some(task.id.as_str()));
    assert_eq!(received.header("accept-encoding"), Some("identity"));
    assert_eq!(received.header(TRACE_HEADER), Some("00-trace-01"));
    assert!(received.header("user-agent").unwrap().starts_with("loom/"));
    assert_eq!(received.body, r#"{"question":"why \"so\"?"}"#);
}

#[tokio::test]
async fn of_a_body_without_end_the_beginning_is_kept_and_the_connection_given_up() {
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    let server = Server::start(move |_, _| Reply::raw(head).then(End::Flood("x"))).await;
    let result = run(&gets(server.url("/")).body_bytes_max(100_000)).await.unwrap();
    assert_eq!(result.content, "x".repeat(100_000));
    assert_eq!(result.metadata[keys::BODY_TRUNCATED], true);
    within(LONG, server.left.wait()).await;
}

#[tokio::test]
async fn a_body_as_long_as_the_bound_is_whole() {
    let server = Server::start(|_, _| Reply::ok("12345")).await;
    let result = run(&gets(server.url("/")).body_bytes_max(5)).await.unwrap();
    assert_eq!(result.content, "12345");
    assert!(!result.metadata.contains_key(keys::BODY_TRUNCATED));
}

#[tokio::test]
async fn a_character_that_the_bound_cuts_in_two_is_left_out() {
    let server = Server::start(|_, _| Reply::ok("gr\u{fc}n")).await;
    let result = run(&gets(server.url("/")).body_bytes_max(3)).await.unwrap();
    assert_eq!(result.content, "gr");
    assert_eq!(result.metadata[keys::BODY_TRUNCATED], true);
}

#[tokio::test]
async fn a_body_that_is_no_text_is_taken_as_far_as_it_is() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\na\xff\xfeb";
    let server = Server::start(|_, _| Reply::raw(*bytes)).await;
    let result = run(&gets(server.url("/"))).await.unwrap();
    assert_eq!(result.content, "a\u{fffd}\u{fffd}b");
}

#[tokio::test]
async fn a_body_in_pieces_is_put_together() {
    let bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
                 3\r\nbec\r\n4\r\nause\r\n0\r\n\r\n";
    let server = Server::start(move |_, _| Reply::raw(bytes)).await;
    assert_eq!(run(&gets(server.url("/"))).await.unwrap().content, "because");
}

#[tokio::test]
async fn a_failed_call_keeps_body_and_content_type_and_its_error_repeats_no_secrets() {
    let headers = [("Content-Type", "application/json"), ("X-Debug", "canary-answer-header")];
    let body = "no\r\nsuch key: canary-header canary-password canary-query canary-bearer";
    let server = Server::start(move |_, _| Reply::new(401, &headers, body)).await;
    let url = server.url("/canary-path?key=canary-query");
    let url = url.replace("http://", "http://canary-user:canary-password@");
    let request = HttpRequest::get(url).header("X-Api-Key", "canary-header");
    let error = run(&sends(request.header("X-Token", "Bearer canary-bearer"))).await.unwrap_err();
    let known = "[REDACTED:known]";
    let said = format!("no  such key: {known} {known} {known} {known}");
    let told = format!("GET {} answered 401 Unauthorized: {said}", server.address);
    assert_eq!(error.message(), told);
    let output = error.output().unwrap();
    assert_eq!(output.content, body);
    assert_eq!(output.metadata[keys::CONTENT_TYPE], "application/json");
    assert!(!format!("{error:?} {:?}", output.metadata).contains("canary"));
}

#[tokio::test]
async fn an_error_repeats_the_beginning_of_a_long_answer() {
    let server = Server::start(|_, _| Reply::new(404, &[], &"\u{fc}".repeat(100_000))).await;
    let error = run(&gets(server.url("/"))).await.unwrap_err();
    let told = format!("GET {} answered 404 Not Found: ", server.address);
    assert_eq!(error.message(), told + &"\u{fc}".repeat(1024));
}

#[tokio::test]
async fn a_compressed_answer_is_refused_unless_it_was_asked_for() {
    let gzip = [("Content-Encoding", "gzip"), ("Connection", "close")];
    let server = Server::start(move |number, _| match number {
        1 => Reply::new(200, &gzip, "\u{1f}bomb"),
        2 => Reply::new(404, &gzip, "\u{1f}bomb"),
        _ => Reply::new(200, &gzip, "packed"),
    });
    let server = server.await;
    let error = run(&gets(server.url("/"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permanent);
    assert!(error.message().contains("compressed"), "{}", error.message());
    let error = run(&gets(server.url("/"))).await.unwrap_err();
    assert_eq!(error.message(), format!("GET {} answered 404 Not Found", server.address));
    let asked = HttpRequest::get(server.url("/")).header("Accept-Encoding", "gzip");
    assert_eq!(run(&sends(asked)).await.unwrap().content, "packed");
    assert_eq!(server.received()[2].header("accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn an_address_that_is_none_fails_the_task_without_being_repeated() {
    for url in ["canary.example/secret", "ftp://canary.example", "http://", ""] {
        let error = run(&gets(url)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permanent, "{url}");
        assert!(error.message().contains("https or http"), "{}", error.message());
        assert!(!error.message().contains("canary"), "{}", error.message());
    }
}

#[tokio::test]
async fn a_call_that_cannot_be_sent_is_not_tried_again() {
    let server = Server::start(|_, _| Reply::ok("fine")).await;
    let get = || HttpRequest::get(server.url("/"));
    let spoilt = [
        get().header("X-Key", "canary\nvalue"),
        get().header("no name", "value"),
        HttpRequest::new("NO METHOD", server.url("/")),
    ];
    for request in spoilt {
        let error = run(&sends(request)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permanent, "{}", error.message());
        assert_eq!(error.output().unwrap().metadata[keys::ATTEMPTS], 1);
        assert!(!error.message().contains("canary"), "{}", error.message());
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn the_error_of_a_resolver_is_the_attempts() {
    let worker = HttpBase::new(|_: &Task| Err(WorkerError::permanent("no such profile")));
    let error = run(&worker).await.unwrap_err();
    assert_eq!(error.message(), "no such profile");
}

#[tokio::test]
async fn a_later_attempt_takes_back_what_an_earlier_one_said() {
    let mut task = asking("why?");
    for key in [keys::CONTENT_TYPE, keys::BODY_TRUNCATED] {
        task.metadata.insert(key.into(), "earlier".into());
    }
    let worker = gets("http://a.example")
        .client(Pretend(|_: &HttpRequest| Ok(HttpResponse::new(200).body("fine"))));
    let result = within(LONG, worker.execute(&TaskContext::new(), &task)).await.unwrap();
    assert_eq!(result.content, "fine");
    assert!(result.metadata[keys::CONTENT_TYPE].is_null());
    assert!(result.metadata[keys::BODY_TRUNCATED].is_null());
}

#[test]
fn calls_are_judged_as_the_engine_judges_unless_told_otherwise() {
    assert!(Worker::gate(&gets("")).is_none());
    assert!(Worker::gate(&gets("").gate(QualityGate::accept_all())).is_some());
    assert_eq!(Worker::crash_policy(&gets("")), CrashPolicy::Fail);
    let rerun = gets("").crash_policy(CrashPolicy::Rerun);
    assert_eq!(Worker::crash_policy(&rerun), CrashPolicy::Rerun);
}

#[test]
fn debug_shows_no_address_no_value_and_no_body() {
    let request = HttpRequest::post("https://canary.example/?key=canary")
        .header("X-Api-Key", "canary")
        .body("canary");
    let shown = format!("{request:?} {:?}", HttpResponse::new(200).header("A", "canary"));
    assert!(shown.contains("POST") && shown.contains("X-Api-Key"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
}
