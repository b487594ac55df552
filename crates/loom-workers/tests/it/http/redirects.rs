//! Where calls are sent on to, and what they take along.

use std::sync::{Arc, Mutex};

use loom_core::ErrorKind;
use loom_workers::{HttpRequest, HttpResponse, IDEMPOTENCY_HEADER, REDIRECTS_MAX};

use super::server::{Received, Reply, Server};
use super::{Pretend, gets, run, sends};

/// The headers of a call that are nobody else's business.
const SECRETS: [&str; 5] =
    ["authorization", "cookie", "x-api-key", "x-of-my-own", IDEMPOTENCY_HEADER];

fn with_secrets(url: String) -> HttpRequest {
    HttpRequest::post(url)
        .header("Authorization", "Bearer key")
        .header("Cookie", "session=1")
        .header("X-Api-Key", "key")
        .header("X-Of-My-Own", "key")
        .header("Accept", "application/json")
        .body("{}")
}

fn redirect(status: u16, to: &str) -> Reply {
    Reply::new(status, &[("Location", to)], "moved")
}

#[tokio::test]
async fn a_redirect_within_a_server_keeps_all_headers() {
    let server = Server::start(|_, call| match call.path.as_str() {
        "/old" => redirect(307, "/new"),
        _ => Reply::ok("here"),
    });
    let server = server.await;
    let result = run(&sends(with_secrets(server.url("/old")))).await.unwrap();
    assert_eq!(result.content, "here");
    let [_, second] = &server.received()[..] else { panic!("not two calls") };
    assert_eq!(second.path, "/new");
    assert_eq!((second.method.as_str(), second.body.as_str()), ("POST", "{}"));
    for name in SECRETS {
        assert!(second.header(name).is_some(), "{name}");
    }
}

#[tokio::test]
async fn another_server_gets_no_header_that_may_hold_a_secret() {
    let other = Server::start(|_, _| Reply::ok("there")).await;
    let to = other.url("/new");
    let server = Server::start(move |_, _| redirect(308, &to)).await;
    let url = server.url("/old").replace("http://", "http://user:password@");
    let result = run(&sends(with_secrets(url))).await.unwrap();
    assert_eq!(result.content, "there");
    let first = server.received().remove(0);
    let second = other.received().remove(0);
    for name in SECRETS {
        assert!(first.header(name).is_some(), "{name}");
        assert_eq!(second.header(name), None, "{name}");
    }
    assert_eq!(second.header("referer"), None);
    assert_eq!(second.header("accept"), Some("application/json"));
    assert_eq!(second.header("host"), Some(&*other.address.to_string()));
}

#[tokio::test]
async fn secrets_do_not_come_back_with_a_redirect_back() {
    let home = Arc::new(Mutex::new(String::new()));
    let to = Arc::clone(&home);
    let other = Server::start(move |_, _| redirect(307, &to.lock().unwrap())).await;
    let away = other.url("/");
    let server = Server::start(move |number, _| match number {
        1 => redirect(307, &away),
        _ => Reply::ok("back"),
    });
    let server = server.await;
    *home.lock().unwrap() = server.url("/back");
    let result = run(&sends(with_secrets(server.url("/")))).await.unwrap();
    assert_eq!(result.content, "back");
    let second = server.received().remove(1);
    assert!(SECRETS.iter().all(|name| second.header(name).is_none()), "{second:?}");
}

#[tokio::test]
async fn redirects_that_lead_ever_further_fail_the_task() {
    let server = Server::start(|number, _| redirect(302, &format!("/{number}"))).await;
    let error = run(&gets(server.url("/"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permanent);
    assert!(error.message().contains("too many"), "{}", error.message());
    assert_eq!(server.received().len(), REDIRECTS_MAX as usize + 1);
}

#[tokio::test]
async fn as_many_redirects_as_there_may_be_are_followed() {
    let server = Server::start(|number, _| match number <= REDIRECTS_MAX as usize {
        true => redirect(302, &format!("/{number}")),
        false => Reply::ok("here"),
    });
    assert_eq!(run(&gets(server.await.url("/"))).await.unwrap().content, "here");
}

#[tokio::test]
async fn redirects_in_a_circle_fail_the_task_before_it_goes_round_again() {
    let server = Server::start(|_, call| match call.path.as_str() {
        "/a" => redirect(302, "/b"),
        "/b" => redirect(302, "/c"),
        _ => redirect(302, "/b"),
    });
    let server = server.await;
    let error = run(&gets(server.url("/a"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permanent);
    assert!(error.message().contains("circle"), "{}", error.message());
    assert_eq!(server.received().len(), 3);
}

#[tokio::test]
async fn redirects_say_what_becomes_of_the_method() {
    let cases = [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")];
    for (status, method) in cases {
        let server = Server::start(move |number, _| match number {
            1 => redirect(status, "next?a=b"),
            _ => Reply::ok("here"),
        });
        let server = server.await;
        let request = HttpRequest::post(server.url("/first/")).json(&serde_json::json!([1]));
        run(&sends(request)).await.unwrap();
        let second: Received = server.received().remove(1);
        assert_eq!((second.method.as_str(), second.path.as_str()), (method, "/first/next?a=b"));
        let body = if method == "GET" { "" } else { "[1]" };
        assert_eq!(second.body, body, "{status}");
        assert_eq!(second.header("content-type").is_some(), method == "POST", "{status}");
    }
}

#[tokio::test]
async fn a_redirect_to_where_it_must_not_lead_fails_the_task() {
    for to in [
        "http://a.example/canary",
        "file:///etc/canary",
        "https://",
        "https://127.0.0.1/canary",
        "https://[::1]/canary",
        "https://canary.localhost/",
        "https://0x7f.1/canary",
    ] {
        let worker = gets("https://a.example/").client(Pretend(move |request: &HttpRequest| {
            assert_eq!(request.url, "https://a.example/", "nothing goes anywhere else");
            Ok(HttpResponse::new(302).header("Location", to))
        }));
        let error = run(&worker).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permanent, "{to}");
        assert!(error.message().contains("redirect is not followed"), "{}", error.message());
        assert!(!error.message().contains("canary"), "{}", error.message());
    }
}

#[tokio::test]
async fn a_redirect_that_does_not_say_where_to_is_an_answer_like_others() {
    for status in [302, 304] {
        let server = Server::start(move |_, _| Reply::status(status)).await;
        let error = run(&gets(server.url("/"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permanent);
        assert!(error.message().contains(&status.to_string()), "{}", error.message());
    }
}
