//! Attempts that are told to stop, wherever they are.

use std::sync::Arc;

use async_trait::async_trait;
use loom_core::{
    CancelReason, Cancellation, ErrorKind, TaskContext, Worker, WorkerError, WorkerResult,
};
use loom_testkit::{Signal, within};
use loom_workers::{
    HttpBase, HttpBody, HttpClient, HttpError, HttpRequest, HttpResponse, http_keys as keys,
};
use tokio::task::JoinHandle;

use super::server::{End, Reply, Server};
use super::{Naps, asking, gets, napping};
use crate::support::LONG;

type Attempt = JoinHandle<Result<WorkerResult, WorkerError>>;

/// Starts an attempt, to be told to stop by what comes with it.
fn start(worker: HttpBase) -> (Attempt, Cancellation) {
    let cancellation = Cancellation::new();
    let cx = TaskContext::new().with_cancellation(cancellation.clone());
    let attempt = tokio::spawn(async move { worker.execute(&cx, &asking("why?")).await });
    (attempt, cancellation)
}

async fn end(attempt: Attempt) -> WorkerError {
    within(LONG, attempt).await.unwrap().unwrap_err()
}

#[tokio::test]
async fn an_attempt_stops_while_it_waits_and_keeps_the_last_answer() {
    let server = Server::start(|_, _| Reply::new(500, &[], "oh no")).await;
    let naps = Naps::endless();
    let (attempt, cancellation) = start(napping(gets(server.url("/")), &naps));
    within(LONG, naps.somebody_waits()).await;
    cancellation.cancel(CancelReason::Requested);
    let error = end(attempt).await;
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let output = error.output().unwrap();
    assert_eq!(output.content, "oh no");
    assert_eq!(output.metadata[keys::STATUS_CODE], 500);
    assert_eq!(output.metadata[keys::ATTEMPTS], 1);
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn an_attempt_stops_while_the_server_is_silent_and_hangs_up() {
    let server = Server::start(|_, _| Reply::raw("").then(End::Hang)).await;
    let (attempt, cancellation) = start(gets(server.url("/")));
    within(LONG, server.calls(1)).await;
    cancellation.cancel(CancelReason::Requested);
    let error = end(attempt).await;
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(error.output().unwrap().metadata[keys::ATTEMPTS], 1);
    within(LONG, server.left.wait()).await;
}

/// A server that cannot be reached, or of whose answer only half comes.
struct Stuck {
    sends_half: bool,
    is_stuck: Signal,
}

#[async_trait]
impl HttpClient for Stuck {
    async fn send(&self, _request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        if self.sends_half {
            let body = Half { half: Some(b"half".to_vec()), is_stuck: self.is_stuck.clone() };
            return Ok(HttpResponse::new(200).stream(body));
        }
        self.is_stuck.raise();
        std::future::pending().await
    }
}

struct Half {
    half: Option<Vec<u8>>,
    is_stuck: Signal,
}

#[async_trait]
impl HttpBody for Half {
    async fn chunk(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        if let Some(half) = self.half.take() {
            return Ok(Some(half));
        }
        self.is_stuck.raise();
        std::future::pending().await
    }
}

#[tokio::test]
async fn an_attempt_stops_while_it_connects() {
    let is_stuck = Signal::new();
    let client = Stuck { sends_half: false, is_stuck: is_stuck.clone() };
    let (attempt, cancellation) = start(gets("http://a.example/").client(client));
    within(LONG, is_stuck.wait()).await;
    cancellation.cancel(CancelReason::Shutdown);
    let error = end(attempt).await;
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(!error.output().unwrap().metadata.contains_key(keys::STATUS_CODE));
}

#[tokio::test]
async fn an_attempt_stops_in_the_middle_of_a_body_and_keeps_what_has_come() {
    let is_stuck = Signal::new();
    let client = Stuck { sends_half: true, is_stuck: is_stuck.clone() };
    let (attempt, cancellation) = start(gets("http://a.example/").client(client));
    within(LONG, is_stuck.wait()).await;
    cancellation.cancel(CancelReason::Timeout);
    let error = end(attempt).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let output = error.output().unwrap();
    assert_eq!(output.content, "half");
    assert_eq!(output.metadata[keys::STATUS_CODE], 200);
}

#[tokio::test]
async fn an_attempt_that_is_told_to_stop_before_it_starts_calls_nobody() {
    let server = Server::start(|_, _| Reply::ok("fine")).await;
    let cancellation = Cancellation::new();
    cancellation.cancel(CancelReason::Requested);
    let cx = TaskContext::new().with_cancellation(cancellation);
    let worker = Arc::new(gets(server.url("/")));
    let error = within(LONG, worker.execute(&cx, &asking("why?"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(error.output().unwrap().metadata[keys::ATTEMPTS], 0);
    assert!(server.received().is_empty());
}
