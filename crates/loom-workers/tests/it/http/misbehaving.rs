//! Servers that do what no good server would: nothing they do hangs or floods an attempt.

use std::time::Duration;

use loom_core::{CancelReason, Cancellation, ErrorKind, FailureCode, TaskContext, Worker};
use loom_testkit::within;
use loom_workers::{
    HEADERS_BYTES_MAX, HEADERS_MAX, HttpBase, HttpRequest, NetworkClient, http_keys as keys,
};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::server::{End, Reply, Server};
use super::{asking, gets, run};
use crate::support::{LONG, SHORT};

/// Far more than a connection buffers, far less than what is sent.
const BUFFERED_BYTES_MAX: u64 = 64 << 20;

/// A worker that gets what is at `url`, once, and gives servers that are silent up soon.
fn impatient(url: String) -> HttpBase {
    let client = NetworkClient::new().connect_timeout(SHORT).idle_timeout(SHORT);
    gets(url).client(client).max_retries(0)
}

fn headers(count: usize, bytes: usize) -> String {
    let value = "x".repeat(bytes);
    let lines = (0..count).map(|number| format!("X-{number:03}: {value}\r\n"));
    format!("HTTP/1.1 200 OK\r\n{}\r\nfine", lines.collect::<String>())
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_is_taken_in() {
    let server = Server::start(|_, _| {
        Reply::raw("HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 9\r\n\r\nslow\r\nbut").slowly()
    });
    let result = run(&gets(server.await.url("/"))).await.unwrap();
    assert_eq!(result.content, "slow\r\nbut");
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_of_a_body_is_a_failure_that_may_pass() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
    let server = Server::start(move |_, _| Reply::raw(half).slowly().then(End::Reset)).await;
    let error = run(&gets(server.url("/")).max_retries(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert_eq!(error.output().unwrap().metadata[keys::STATUS_CODE], 200);
    assert!("half".starts_with(&error.output().unwrap().content));
}

#[tokio::test]
async fn pieces_that_make_no_sense_are_a_failure_that_may_pass() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for garbage in ["zz\r\n", "3\r\nabcXX", "ffffffffffffffffff\r\n", "-1\r\n", "3\r\nabc\r\n\0\0"]
    {
        let server = Server::start(move |_, _| Reply::raw(format!("{head}{garbage}"))).await;
        let error = run(&gets(server.url("/")).max_retries(0)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transient, "{garbage:?}");
        assert!("abc".starts_with(&error.output().unwrap().content), "{garbage:?}");
    }
}

#[tokio::test]
async fn lengths_that_contradict_each_other_are_no_answer() {
    for lengths in ["Content-Length: 4\r\nContent-Length: 5\r\n", "Content-Length: four\r\n"] {
        let bytes = format!("HTTP/1.1 200 OK\r\n{lengths}\r\nfine!");
        let server = Server::start(move |_, _| Reply::raw(bytes.as_str())).await;
        let error = run(&gets(server.url("/")).max_retries(0)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transient, "{lengths}");
        assert!(!error.output().unwrap().metadata.contains_key(keys::STATUS_CODE));
    }
}

#[tokio::test]
async fn as_many_headers_as_there_may_be_are_fine() {
    let server = Server::start(|_, _| Reply::raw(headers(HEADERS_MAX, 100))).await;
    assert_eq!(run(&gets(server.url("/"))).await.unwrap().content, "fine");
}

#[tokio::test]
async fn headers_over_either_bound_are_no_answer() {
    let server = Server::start(|_, _| Reply::raw(headers(1, HEADERS_BYTES_MAX))).await;
    let error = run(&gets(server.url("/"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permanent);
    assert!(error.message().contains("longer than 64 KiB"), "{}", error.message());
    let server = Server::start(|_, _| Reply::raw(headers(HEADERS_MAX + 1, 1))).await;
    let error = run(&gets(server.url("/")).max_retries(0)).await.unwrap_err();
    assert!(error.message().contains("gave no answer"), "{}", error.message());
}

#[tokio::test]
async fn header_lines_without_end_are_given_up() {
    let server =
        Server::start(|_, _| Reply::raw("HTTP/1.1 200 OK\r\n").then(End::Flood("X-A: b\r\n")));
    let server = server.await;
    run(&gets(server.url("/")).max_retries(0)).await.unwrap_err();
    within(LONG, server.left.wait()).await;
    assert!(server.flooded() < BUFFERED_BYTES_MAX, "{}", server.flooded());
}

#[tokio::test]
async fn promises_of_an_answer_without_end_are_given_up() {
    let promise = "HTTP/1.1 100 Continue\r\n\r\n";
    let server = Server::start(move |_, _| Reply::raw("").then(End::Flood(promise))).await;
    let error = run(&impatient(server.url("/"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    within(LONG, server.left.wait()).await;
}

#[tokio::test]
async fn of_ten_gigabytes_only_the_beginning_is_read() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n";
    let server = Server::start(move |_, _| Reply::raw(head).then(End::Flood("x"))).await;
    let result = run(&gets(server.url("/"))).await.unwrap();
    assert_eq!(result.content.len(), loom_workers::BODY_BYTES_MAX);
    assert_eq!(result.metadata[keys::BODY_TRUNCATED], true);
    within(LONG, server.left.wait()).await;
    assert!(server.flooded() < BUFFERED_BYTES_MAX, "{}", server.flooded());
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up_after_the_idle_timeout() {
    let silences =
        ["", "HTTP/1.1 200 OK\r\nX-A", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"];
    for bytes in silences {
        let server = Server::start(move |_, _| Reply::raw(bytes).then(End::Hang)).await;
        let error = run(&impatient(server.url("/"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{bytes}");
        assert_eq!(error.code(), FailureCode::Timeout, "{bytes}");
        assert!(error.message().contains("took too long"), "{}", error.message());
        within(LONG, server.left.wait()).await;
    }
}

#[tokio::test]
async fn a_server_that_takes_no_part_in_tls_is_given_up_after_the_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let client = NetworkClient::new().connect_timeout(SHORT);
    let worker = gets(url).client(client).max_retries(0);
    let error = run(&worker).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let (mut stream, _) = within(LONG, listener.accept()).await.unwrap();
    within(LONG, stream.read_to_end(&mut Vec::new())).await.unwrap();
}

#[tokio::test]
async fn an_attempt_stops_in_the_middle_of_connecting_and_hangs_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let cancellation = Cancellation::new();
    let cx = TaskContext::new().with_cancellation(cancellation.clone());
    let worker = gets(url);
    let attempt = tokio::spawn(async move { worker.execute(&cx, &asking("why?")).await });
    let (mut stream, _) = within(LONG, listener.accept()).await.unwrap();
    within(LONG, stream.read_u8()).await.unwrap();
    cancellation.cancel(CancelReason::Requested);
    let error = within(LONG, attempt).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    within(LONG, stream.read_to_end(&mut Vec::new())).await.unwrap();
}

#[tokio::test]
async fn an_attempt_stops_in_the_middle_of_headers_and_hangs_up() {
    let bytes = "HTTP/1.1 200 OK\r\nX-A: b\r\n";
    let server = Server::start(move |_, _| Reply::raw(bytes).then(End::Hang)).await;
    let cancellation = Cancellation::new();
    let cx = TaskContext::new().with_cancellation(cancellation.clone());
    let worker = gets(server.url("/"));
    let attempt = tokio::spawn(async move { worker.execute(&cx, &asking("why?")).await });
    within(LONG, server.calls(1)).await;
    cancellation.cancel(CancelReason::Timeout);
    let error = within(LONG, attempt).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    within(LONG, server.left.wait()).await;
}

#[tokio::test]
async fn a_call_that_takes_too_long_in_all_is_given_up_though_something_comes() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let server = Server::start(move |_, _| Reply::raw(head).then(End::Flood(": ping\n\n"))).await;
    let request = HttpRequest::get(server.url("/")).timeout(Duration::from_millis(100));
    let error = run(&super::sends(request).max_retries(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    within(LONG, server.left.wait()).await;
}
