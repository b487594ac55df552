//! Bodies that are streams of events or lines.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use loom_core::{Stream, Task, TaskContext, Worker, WorkerError, WorkerResult};
use loom_testkit::{Signal, within};
use loom_workers::{
    HttpBase, HttpBody, HttpError, HttpEvent, HttpRequest, HttpResponse, OutputSink,
    http_keys as keys,
};
use proptest::prelude::*;

use super::server::{End, Reply, Server};
use super::{Pretend, asking, gets, run};
use crate::support::{LONG, Progress, Tee};

const EVENTS: &str = "text/event-stream; charset=utf-8";
const LINES: &str = "application/x-ndjson";

/// Name, data and id of an event.
type Told = (String, String, String);

/// A body that comes in these pieces.
struct Pieces(VecDeque<Vec<u8>>);

#[async_trait]
impl HttpBody for Pieces {
    async fn chunk(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        Ok(self.0.pop_front())
    }
}

/// A worker that is sent these pieces.
fn sent(content_type: &'static str, pieces: Vec<Vec<u8>>) -> HttpBase {
    gets("https://a.example/").client(Pretend(move |_: &HttpRequest| {
        let response = HttpResponse::new(200).header("Content-Type", content_type);
        Ok(response.stream(Pieces(pieces.clone().into())))
    }))
}

fn whole(content_type: &'static str, body: &str) -> HttpBase {
    sent(content_type, vec![body.into()])
}

/// What a worker makes of its call, and the lines that it reports.
async fn told(worker: HttpBase) -> (Result<WorkerResult, WorkerError>, Vec<String>) {
    let progress = Arc::new(Progress::default());
    let cx = TaskContext::new().with_progress(Arc::clone(&progress) as _);
    let end = within(LONG, worker.execute(&cx, &asking("why?"))).await;
    (end, progress.lines())
}

/// The events that a body in these pieces holds.
async fn events(pieces: Vec<Vec<u8>>) -> Vec<Told> {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    let worker = sent(EVENTS, pieces).select(move |event: &HttpEvent| {
        let event = event.clone();
        seen.lock().unwrap().push((event.name, event.data, event.id));
        None
    });
    run(&worker).await.unwrap();
    let seen = events.lock().unwrap();
    seen.clone()
}

fn event(name: &str, data: &str, id: &str) -> Told {
    (name.into(), data.into(), id.into())
}

#[tokio::test]
async fn the_data_of_events_is_the_result_and_its_lines_are_the_progress() {
    let body = "event: a\ndata: one\ndata: two\n\n: ping\n\ndata: three\n\n";
    let (result, lines) = told(whole(EVENTS, body)).await;
    let result = result.unwrap();
    assert_eq!(result.content, "one\ntwo\nthree");
    assert_eq!(lines, ["one", "two", "three"]);
    assert!(!result.metadata.contains_key(keys::BODY_TRUNCATED));
}

#[tokio::test]
async fn what_is_selected_of_events_is_the_result_and_its_lines_are_the_progress() {
    let body =
        "data: Hel\n\ndata: \n\ndata: [DONE]\n\ndata: lo,\n\nevent: nl\ndata\n\ndata: you\n\n";
    let worker = whole(EVENTS, body).select(|event: &HttpEvent| match event.data.as_str() {
        "[DONE]" => None,
        _ if event.name == "nl" => Some("\n".into()),
        data => Some(data.to_owned()),
    });
    let (result, lines) = told(worker).await;
    assert_eq!(result.unwrap().content, "Hello,\nyou");
    assert_eq!(lines, ["Hello,", "you"]);
}

#[tokio::test]
async fn lines_of_json_are_progress_and_the_result_is_the_body() {
    let body = "{\"a\":1}\r\n\n{\"a\":2}";
    for content_type in [LINES, "application/jsonl", "Application/NDJSON ; charset=utf-8"] {
        let (result, lines) = told(whole(content_type, body)).await;
        assert_eq!(result.unwrap().content, body);
        assert_eq!(lines, ["{\"a\":1}", "", "{\"a\":2}"]);
    }
    let worker = whole(LINES, body).select(|event: &HttpEvent| Some(event.data.replace('a', "b")));
    assert_eq!(told(worker).await.0.unwrap().content, "{\"b\":1}{\"b\":2}");
}

#[tokio::test]
async fn other_bodies_and_those_of_failures_are_taken_as_they_are() {
    let (result, lines) = told(whole("text/plain", "data: one\n\n")).await;
    assert_eq!(result.unwrap().content, "data: one\n\n");
    assert!(lines.is_empty());
    let worker = gets("https://a.example/").client(Pretend(|_: &HttpRequest| {
        Ok(HttpResponse::new(400).header("Content-Type", EVENTS).body("data: one\n\n"))
    }));
    let (error, lines) = told(worker).await;
    assert_eq!(error.unwrap_err().output().unwrap().content, "data: one\n\n");
    assert!(lines.is_empty());
}

#[tokio::test]
async fn fields_are_read_as_the_standard_says() {
    let cases: [(&str, &[Told]); 14] = [
        ("data: a\n\n", &[event("message", "a", "")]),
        ("data:a\n\n", &[event("message", "a", "")]),
        ("data:  a \n\n", &[event("message", " a ", "")]),
        ("data\n\n", &[event("message", "", "")]),
        ("data: a\ndata\ndata: b\n\n", &[event("message", "a\n\nb", "")]),
        ("event: x\n\ndata: a\n\n", &[event("message", "a", "")]),
        ("event: x\nevent: y\ndata: a:b\n\n", &[event("y", "a:b", "")]),
        (
            "id: 1\ndata: a\n\ndata: b\n\n",
            &[event("message", "a", "1"), event("message", "b", "1")],
        ),
        ("id: 1\n\nid\ndata: a\n\n", &[event("message", "a", "")]),
        ("id: 1\nid: 2\0\ndata: a\n\n", &[event("message", "a", "1")]),
        (": data: a\nretry: 5\nDATA: a\ndatas: a\n data: a\n\n", &[]),
        ("\u{feff}data: a\n\n", &[event("message", "a", "")]),
        ("\u{feff}\u{feff}data: a\n\n\u{feff}data: b\n\n", &[]),
        (
            "data: a\r\rdata: b\r\n\r\ndata: c\n\r",
            &[event("message", "a", ""), event("message", "b", ""), event("message", "c", "")],
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(events(vec![body.into()]).await, expected, "{body:?}");
    }
}

#[tokio::test]
async fn where_a_body_is_cut_in_pieces_makes_no_difference() {
    let body = "\u{feff}id: 7\r\ndata: gr\u{fc}n\r\rdata: a\r\ndata: b\r\n\r\n\
                : c\n\nevent: e\ndata:\ndata: \u{1f980}\n\r";
    let expected = [
        event("message", "gr\u{fc}n", "7"),
        event("message", "a\nb", "7"),
        event("e", "\n\u{1f980}", "7"),
    ];
    let bytes = body.as_bytes();
    for at in 0..=bytes.len() {
        let (first, second) = bytes.split_at(at);
        assert_eq!(events(vec![first.into(), second.into()]).await, expected, "{at}");
    }
    assert_eq!(events(bytes.iter().map(|byte| vec![*byte]).collect()).await, expected);
}

#[tokio::test]
async fn an_event_that_was_not_finished_is_left_out_and_that_is_said() {
    for end in ["data: tw", "data: two\n", "data: two\nid: 3", "data"] {
        let (result, lines) = told(whole(EVENTS, &format!("data: one\n\n{end}"))).await;
        let result = result.unwrap();
        assert_eq!(result.content, "one", "{end:?}");
        assert_eq!(result.metadata[keys::BODY_TRUNCATED], true, "{end:?}");
        assert_eq!(lines, ["one"], "{end:?}");
    }
    for end in ["", "\n\n", ": bye", "event: x\n"] {
        let (result, _) = told(whole(EVENTS, &format!("data: one\n\n{end}"))).await;
        assert!(!result.unwrap().metadata.contains_key(keys::BODY_TRUNCATED), "{end:?}");
    }
}

#[tokio::test]
async fn an_event_as_long_as_the_bound_is_whole_and_a_longer_one_ends_the_reading() {
    let (result, _) = told(whole(EVENTS, "data: 4567890\n\n").body_bytes_max(13)).await;
    let result = result.unwrap();
    assert_eq!(result.content, "4567890");
    assert!(!result.metadata.contains_key(keys::BODY_TRUNCATED));
    let long = ["data: 45678901\n\n", "data: 4567\ndata: 4567\ndata: 4567\n\n", ": 345678901234"];
    for event in long {
        let worker = whole(EVENTS, &format!("data: a\n\n{event}")).body_bytes_max(13);
        let result = told(worker).await.0.unwrap();
        assert_eq!(result.content, "a", "{event}");
        assert_eq!(result.metadata[keys::BODY_TRUNCATED], true, "{event}");
    }
}

#[tokio::test]
async fn nothing_is_selected_of_events_after_the_one_that_was_too_long() {
    let asked = Signal::new();
    let told = asked.clone();
    let worker =
        whole(EVENTS, "data: a\n\ndata: b\n\ndata: c\n\n").select(move |event: &HttpEvent| {
            told.raise();
            Some(event.data.repeat(6))
        });
    let result = run(&worker.body_bytes_max(10)).await.unwrap();
    assert_eq!(result.content, "aaaaaabbbb");
    assert_eq!(asked.count(), 2);
}

#[tokio::test]
async fn streams_without_end_are_cut_and_given_up() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    for flood in ["data: xxxxxxx\n\n", "x", "data: xxxxxxx\n"] {
        let server = Server::start(move |_, _| Reply::raw(head).then(End::Flood(flood))).await;
        let result = run(&gets(server.url("/")).body_bytes_max(1000)).await.unwrap();
        assert_eq!(result.metadata[keys::BODY_TRUNCATED], true, "{flood}");
        assert_eq!(result.content.is_empty(), flood != "data: xxxxxxx\n\n", "{flood}");
        within(LONG, server.left.wait()).await;
    }
}

/// Says when a first line has been reported.
struct Reported(Signal);

impl loom_core::ProgressSink for Reported {
    fn report(&self, _line: &str) {
        self.0.raise();
    }
}

#[tokio::test]
async fn events_are_reported_and_handed_on_while_the_server_goes_on() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n";
    let server = Server::start(move |_, _| Reply::raw(head).then(End::Hang)).await;
    let (is_reported, tee) = (Signal::new(), Tee::new());
    let cx = TaskContext::new().with_progress(Arc::new(Reported(is_reported.clone())));
    let worker = gets(server.url("/")).tee(Arc::clone(&tee) as Arc<dyn OutputSink>);
    let attempt = tokio::spawn(async move { worker.execute(&cx, &asking("why?")).await });
    within(LONG, is_reported.wait()).await;
    assert_eq!(within(LONG, tee.line(Stream::Stdout)).await, "data: one");
    assert!(!attempt.is_finished());
    attempt.abort();
    within(LONG, server.left.wait()).await;
}

/// Takes one piece, and refuses those after it.
#[derive(Default)]
struct Full(Signal);

#[async_trait]
impl OutputSink for Full {
    async fn write(&self, _task: &Task, _stream: Stream, _bytes: &[u8]) -> io::Result<()> {
        self.0.raise();
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[tokio::test]
async fn a_sink_that_fails_gets_no_more_and_the_call_goes_on() {
    let sink = Arc::new(Full::default());
    let worker = sent("text/plain", vec![b"a".to_vec(), b"b".to_vec()]);
    let result = run(&worker.tee(Arc::clone(&sink) as Arc<dyn OutputSink>)).await.unwrap();
    assert_eq!(result.content, "ab");
    assert_eq!(sink.0.count(), 1);
}

/// Lines as a server may end them, with what may stand between events.
fn written(events: &[Vec<String>], endings: &[u8], noise: bool) -> String {
    let mut endings = endings.iter().cycle();
    // A lone \r before a line that begins with \n would be another ending.
    let mut end = || ["\n", "\r\n", "\r"][usize::from(*endings.next().unwrap_or(&0) % 3)];
    let mut body = String::new();
    for lines in events {
        if noise {
            body.push_str(": noise");
            body.push_str(end());
        }
        for line in lines {
            body.push_str("data: ");
            body.push_str(line);
            body.push_str(end());
        }
        // After \r the blank line must not end in \n alone: both would be one ending.
        let blank = if body.ends_with('\r') { "\r" } else { end() };
        body.push_str(blank);
    }
    body
}

proptest! {
    #[test]
    fn events_come_out_as_they_went_in(
        texts in prop::collection::vec(prop::collection::vec("[^\r\n\0]{0,8}", 1..4), 0..6),
        endings in prop::collection::vec(any::<u8>(), 1..20),
        cuts in prop::collection::vec(1_usize..9, 1..20),
        noise in any::<bool>(),
    ) {
        let body = written(&texts, &endings, noise);
        let (mut rest, mut pieces, mut cuts) = (body.as_bytes(), Vec::new(), cuts.iter().cycle());
        while !rest.is_empty() {
            let at = cuts.next().map_or(1, |cut| *cut).min(rest.len());
            let (piece, after) = rest.split_at(at);
            pieces.push(piece.to_vec());
            rest = after;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let seen = runtime.block_on(events(pieces));
        let expected: Vec<_> =
            texts.iter().map(|lines| event("message", &lines.join("\n"), "")).collect();
        prop_assert_eq!(seen, expected, "{:?}", body);
    }
}
