//! Which calls are tried again, when, and what becomes of those that never go well.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use loom_core::{ErrorKind, FailureCode, RetryPolicy, TaskContext, Worker, WorkerError};
use loom_deps::{Clock, FakeClock, Rng, Timer};
use loom_testkit::within;
use loom_workers::{
    BACKOFF_BASE, BACKOFF_MAX, HttpBase, HttpRequest, HttpResponse, IDEMPOTENCY_HEADER,
    RETRY_AFTER_MAX, http_keys as keys,
};
use tokio::net::TcpListener;

use super::server::{End, Reply, Server};
use super::{Naps, Pretend, asking, gets, napping, run, sends};
use crate::support::LONG;

/// Fails the first calls in this way, and answers the others well.
async fn failing(calls: usize, reply: fn() -> Reply) -> Server {
    Server::start(move |number, _| if number <= calls { reply() } else { Reply::ok("fine") }).await
}

/// A worker whose waits are over at once.
fn quick(url: String) -> HttpBase {
    napping(gets(url), &Naps::short())
}

/// What a worker says, and how long it waited, if the server always answers like this.
async fn told(status: u16, retry_after: &'static str) -> (WorkerError, Vec<Duration>) {
    let naps = Naps::short();
    let worker = gets("http://a.example/?key=canary").client(Pretend(move |_: &HttpRequest| {
        Ok(HttpResponse::new(status).header("retry-after", retry_after).body("not now"))
    }));
    let error = run(&napping(worker, &naps)).await.unwrap_err();
    assert!(!error.message().contains("canary"), "{}", error.message());
    (error, naps.taken())
}

#[tokio::test]
async fn after_two_answers_of_500_the_third_call_may_go_well() {
    let server = failing(2, || Reply::new(500, &[], "oh no")).await;
    let result = run(&quick(server.url("/")).max_retries(2)).await.unwrap();
    assert_eq!(result.content, "fine");
    assert_eq!(result.metadata[keys::STATUS_CODE], 200);
    assert_eq!(result.metadata[keys::ATTEMPTS], 3);
    assert_eq!(server.received().len(), 3);
}

#[tokio::test]
async fn answers_of_500_without_end_are_a_failure_that_keeps_the_last_one() {
    let server = Server::start(|number, _| Reply::new(500, &[], &format!("no {number}"))).await;
    let error = run(&quick(server.url("/")).max_retries(2)).await.unwrap_err();
    assert_eq!(server.received().len(), 3);
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert_eq!(error.code(), FailureCode::HttpStatus);
    let said = format!("GET {} answered 500 Internal Server Error: no 3", server.address);
    assert_eq!(error.message(), said);
    let output = error.output().unwrap();
    assert_eq!(output.content, "no 3");
    assert_eq!(output.metadata[keys::STATUS_CODE], 500);
    assert_eq!(output.metadata[keys::ATTEMPTS], 3);
}

#[tokio::test]
async fn an_answer_of_404_is_a_failure_at_once() {
    let server = Server::start(|_, _| Reply::new(404, &[], "nothing here")).await;
    let error = run(&quick(server.url("/"))).await.unwrap_err();
    assert_eq!(server.received().len(), 1);
    assert_eq!(error.kind(), ErrorKind::Permanent);
    assert_eq!(error.code(), FailureCode::HttpStatus);
    let output = error.output().unwrap();
    assert_eq!(output.content, "nothing here");
    assert_eq!(output.metadata[keys::STATUS_CODE], 404);
}

#[tokio::test]
async fn statuses_that_may_pass_are_tried_again_and_others_are_not() {
    for (status, tries) in [
        (408, 3),
        (425, 3),
        (429, 3),
        (500, 3),
        (502, 3),
        (503, 3),
        (504, 3),
        (529, 3),
        (400, 1),
        (401, 1),
        (403, 1),
        (409, 1),
        (422, 1),
        (499, 1),
        (600, 1),
    ] {
        let (error, waits) = told(status, "").await;
        let output = error.output().unwrap();
        assert_eq!(output.metadata[keys::ATTEMPTS], tries, "{status}");
        assert_eq!(waits.len(), tries - 1, "{status}");
        assert_eq!(error.kind() == ErrorKind::Permanent, tries == 1, "{status}");
    }
}

#[tokio::test]
async fn limits_are_told_from_other_failures() {
    let limited = [(429, ""), (429, "5"), (529, ""), (503, "5"), (503, "0")];
    for (status, retry_after) in limited {
        let (error, _) = told(status, retry_after).await;
        assert_eq!(error.code(), FailureCode::RateLimited, "{status} {retry_after}");
    }
    for (status, retry_after) in [(503, ""), (500, "5"), (403, "")] {
        let (error, _) = told(status, retry_after).await;
        assert_eq!(error.code(), FailureCode::HttpStatus, "{status} {retry_after}");
    }
}

#[tokio::test]
async fn waits_are_drawn_below_a_bound_that_doubles() {
    let naps = Naps::short();
    let worker = gets("http://a.example/");
    let worker = worker.client(Pretend(|_: &HttpRequest| Ok(HttpResponse::new(500))));
    run(&napping(worker.rng(Rng::seeded(7)), &naps).max_retries(12)).await.unwrap_err();
    let policy = RetryPolicy { max_retries: 12, base: BACKOFF_BASE, max: BACKOFF_MAX };
    let rng = Rng::seeded(7);
    let drawn: Vec<_> = (0..12).map(|retries| policy.backoff(retries, rng.unit())).collect();
    let micros = |waits: Vec<Duration>| waits.iter().map(Duration::as_micros).collect::<Vec<_>>();
    assert_eq!(micros(naps.taken()), micros(drawn));
}

#[tokio::test]
async fn the_bounds_of_waits_can_be_set() {
    let naps = Naps::short();
    let worker = gets("http://a.example/").backoff(Duration::ZERO, Duration::ZERO);
    let worker = worker.client(Pretend(|_: &HttpRequest| Ok(HttpResponse::new(500))));
    run(&napping(worker, &naps)).await.unwrap_err();
    assert_eq!(naps.taken(), [Duration::ZERO; 2]);
}

#[tokio::test]
async fn a_wait_that_the_server_asks_for_is_kept() {
    let headers = [("Retry-After", "7")];
    let server = Server::start(move |number, _| match number {
        1 => Reply::new(429, &headers, ""),
        _ => Reply::ok("fine"),
    });
    let server = server.await;
    let naps = Naps::short();
    run(&napping(gets(server.url("/")), &naps)).await.unwrap();
    assert_eq!(naps.taken(), [Duration::from_secs(7)]);
}

#[tokio::test]
async fn a_date_that_the_server_names_is_waited_for() {
    let naps = Naps::short();
    assert_eq!(naps.now().to_string(), "2026-01-01T00:00:00Z");
    let headers = [("Retry-After", "Thu, 01 Jan 2026 00:00:42 GMT")];
    let server = Server::start(move |number, _| match number {
        1 => Reply::new(503, &headers, ""),
        _ => Reply::ok("fine"),
    });
    let server = server.await;
    run(&napping(gets(server.url("/")), &naps)).await.unwrap();
    assert_eq!(naps.taken(), [Duration::from_secs(42)]);
}

#[tokio::test]
async fn a_date_that_is_over_and_a_wait_of_nothing_leave_the_wait_to_chance() {
    let past = "Wed, 31 Dec 2025 23:59:00 GMT";
    for retry_after in [past, "0", "soon", "-5", "1e3", "\u{663}"] {
        let (error, waits) = told(503, retry_after).await;
        assert_eq!(error.kind(), ErrorKind::Transient, "{retry_after}");
        assert_eq!(waits.len(), 2, "{retry_after}");
        assert!(waits.iter().all(|wait| *wait <= BACKOFF_BASE * 2), "{waits:?}");
    }
}

#[tokio::test]
async fn a_wait_too_long_to_sit_out_is_left_to_the_engine() {
    let (error, waits) = told(429, "3600").await;
    assert_eq!(error.kind(), ErrorKind::RetryAfter(Duration::from_secs(3600)));
    assert_eq!(error.code(), FailureCode::RateLimited);
    assert_eq!(
        error.message(),
        "GET a.example answered 429 Too Many Requests, to be asked again in 3600s: not now"
    );
    assert_eq!(error.output().unwrap().content, "not now");
    assert!(waits.is_empty());
}

#[tokio::test]
async fn a_wait_of_more_seconds_than_there_are_numbers_is_a_long_one() {
    let (error, waits) = told(429, "99999999999999999999999").await;
    assert_eq!(error.kind(), ErrorKind::RetryAfter(Duration::from_secs(u64::MAX)));
    assert!(waits.is_empty());
}

#[tokio::test]
async fn the_longest_wait_to_sit_out_can_be_set() {
    let asks_for = |seconds: u64| {
        gets("http://a.example/").client(Pretend(move |_: &HttpRequest| {
            Ok(HttpResponse::new(429).header("Retry-After", seconds.to_string()))
        }))
    };
    let naps = Naps::short();
    let worker = napping(asks_for(5), &naps).retry_after_max(Duration::from_secs(4));
    run(&worker).await.unwrap_err();
    assert!(naps.taken().is_empty());
    run(&napping(asks_for(RETRY_AFTER_MAX.as_secs()), &naps)).await.unwrap_err();
    assert_eq!(naps.taken(), [RETRY_AFTER_MAX; 2]);
}

#[tokio::test]
async fn when_the_tries_are_used_up_the_engine_keeps_the_wait_asked_for() {
    let (error, waits) = told(503, "5").await;
    assert_eq!(waits, [Duration::from_secs(5); 2]);
    assert_eq!(error.kind(), ErrorKind::RetryAfter(Duration::from_secs(5)));
}

#[tokio::test]
async fn a_wait_that_the_attempt_would_not_survive_is_left_to_the_engine() {
    let naps = Naps::short();
    let worker = gets("http://a.example/")
        .client(Pretend(|_: &HttpRequest| Ok(HttpResponse::new(429).header("Retry-After", "30"))));
    let deadline = naps.now().saturating_add(Duration::from_secs(30));
    let cx = TaskContext::new().with_deadline(Some(deadline));
    let error = napping(worker, &naps).execute(&cx, &asking("why?")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RetryAfter(Duration::from_secs(30)));
    assert!(naps.taken().is_empty());
}

#[tokio::test]
async fn connections_that_break_are_tried_again() {
    let ways: [fn() -> Reply; 6] = [
        || Reply::raw("").then(End::Reset),
        || Reply::raw(""),
        || Reply::raw("HTTP/1.1 200 OK\r\nContent-Le"),
        || Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf a body"),
        || Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        || Reply::raw("220 mail.example ESMTP\r\n\r\n"),
    ];
    for (number, way) in ways.into_iter().enumerate() {
        let server = failing(2, way).await;
        let result = run(&quick(server.url("/"))).await.unwrap();
        assert_eq!(result.content, "fine", "{number}");
        assert_eq!(result.metadata[keys::ATTEMPTS], 3, "{number}");
    }
}

#[tokio::test]
async fn half_a_body_is_kept_as_evidence() {
    let half = || Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf a body");
    let server = failing(usize::MAX, half).await;
    let error = run(&quick(server.url("/"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert_eq!(error.code(), FailureCode::WorkerError);
    let said = format!("GET {} gave no answer: ", server.address);
    assert!(error.message().starts_with(&said), "{}", error.message());
    let output = error.output().unwrap();
    assert_eq!(output.content, "half a body");
    assert_eq!(output.metadata[keys::STATUS_CODE], 200);
}

#[tokio::test]
async fn a_body_longer_than_it_says_ends_where_it_says() {
    let server = Server::start(|_, _| {
        Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine, and more")
    });
    let result = run(&quick(server.await.url("/"))).await.unwrap();
    assert_eq!(result.content, "fine");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_failure_that_may_pass() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let naps = Naps::short();
    let request = HttpRequest::get(format!("http://{address}/?key=canary"));
    let error = run(&napping(sends(request.header("X-Key", "canary")), &naps)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
    let said = format!("GET {address} gave no answer: the connection failed: ");
    assert!(error.message().starts_with(&said), "{}", error.message());
    assert!(error.message().contains("refused"), "{}", error.message());
    assert!(!error.message().contains("canary"), "{}", error.message());
    assert_eq!(error.output().unwrap().metadata[keys::ATTEMPTS], 3);
    assert!(!error.output().unwrap().metadata.contains_key(keys::STATUS_CODE));
    assert_eq!(naps.taken().len(), 2);
}

#[tokio::test]
async fn headers_without_end_are_given_up() {
    let head = "HTTP/1.1 200 OK\r\nX-Endless: ";
    let server = Server::start(move |_, _| Reply::raw(head).then(End::Flood("x"))).await;
    let error = run(&quick(server.url("/")).max_retries(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert!(error.message().len() < 1000, "{}", error.message());
    within(LONG, server.left.wait()).await;
}

#[tokio::test]
async fn all_tries_of_all_attempts_carry_the_tasks_key() {
    let server = failing(2, || Reply::status(500)).await;
    let task = asking("why?");
    for attempt in [1, 2] {
        let cx = TaskContext::new().with_attempt(attempt);
        within(LONG, quick(server.url("/")).execute(&cx, &task)).await.unwrap();
    }
    let received = server.received();
    let keys: Vec<_> = received.iter().map(|call| call.header(IDEMPOTENCY_HEADER)).collect();
    assert_eq!(keys, [Some(task.id.as_str()); 4]);
}

#[tokio::test]
async fn a_key_that_the_request_brings_stays() {
    let server = failing(1, || Reply::status(500)).await;
    let request = HttpRequest::post(server.url("/")).header("idempotency-key", "mine");
    run(&napping(sends(request), &Naps::short())).await.unwrap();
    for call in server.received() {
        let keys = call.headers.iter().filter(|(name, _)| name == "idempotency-key");
        assert_eq!(keys.map(|(_, key)| key.as_str()).collect::<Vec<_>>(), ["mine"]);
    }
}

#[tokio::test]
async fn a_try_that_takes_too_long_is_given_up_and_repeated() {
    let silent = || Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").then(End::Hang);
    let server = failing(1, silent).await;
    let clock = Arc::new(FakeClock::default());
    let timeout = Duration::from_secs(5);
    let worker = sends(HttpRequest::get(server.url("/")).timeout(timeout))
        .backoff(Duration::ZERO, Duration::ZERO)
        .time(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&clock) as Arc<dyn Timer>);
    let attempt = tokio::spawn(async move { run(&worker).await });
    within(LONG, server.calls(1)).await;
    assert_eq!(clock.next_wake(), Some(clock.now().saturating_add(timeout)));
    clock.advance(timeout);
    let result = within(LONG, attempt).await.unwrap().unwrap();
    assert_eq!(result.content, "fine");
    assert_eq!(result.metadata[keys::ATTEMPTS], 2);
    assert_eq!(result.metadata[keys::DURATION_MS], 5000);
    within(LONG, server.left.wait()).await;
}

#[tokio::test]
async fn tries_that_all_take_too_long_are_a_timeout() {
    let tries = Arc::new(AtomicU32::new(0));
    let worker = {
        let tries = Arc::clone(&tries);
        let request = HttpRequest::get("http://a.example/").timeout(Duration::from_secs(5));
        sends(request).client(Pretend(move |_: &HttpRequest| {
            tries.fetch_add(1, Ordering::Relaxed);
            Ok(HttpResponse::new(200).stream(Silent))
        }))
    };
    let naps = Naps::short();
    let error = run(&napping(worker, &naps)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.code(), FailureCode::Timeout);
    assert_eq!(error.message(), "GET a.example gave no full answer within 5s");
    assert_eq!(tries.load(Ordering::Relaxed), 3);
    assert_eq!(naps.taken().iter().filter(|nap| nap.as_secs() == 5).count(), 3);
}

/// A body of which nothing ever comes.
struct Silent;

#[async_trait::async_trait]
impl loom_workers::HttpBody for Silent {
    async fn chunk(&mut self) -> Result<Option<Vec<u8>>, loom_workers::HttpError> {
        std::future::pending().await
    }
}
