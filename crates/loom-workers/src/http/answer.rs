//! What has come of a call, and what it means for the attempt.

use std::time::Duration;

use loom_core::{Task, TaskContext, WorkerResult, first_bytes};
use serde_json::Value;

use super::client::HttpResponse;
use super::events::{Form, HttpEvent, Parts};
use super::keys;
use super::request::HttpRequest;
use crate::capture::without_split_end;
use crate::lines::Lines;

/// Longest content type that metadata repeat.
const CONTENT_TYPE_BYTES_MAX: usize = 256;

/// Says what is wanted of an event.
pub(super) type Select = dyn Fn(&HttpEvent) -> Option<String> + Send + Sync;

/// What has come of an attempt so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) tries: u32,
    pub(super) answer: Option<Answer>,
}

impl Seen {
    /// The result that this makes for `task`.
    pub(super) fn into_result(self, task: &Task, took: Duration) -> WorkerResult {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let answer = self.answer.map(Answer::into_result).unwrap_or_default();
        let mut result = answer.with(keys::DURATION_MS, took).with(keys::ATTEMPTS, self.tries);
        forget_earlier(&mut result, task);
        result
    }
}

/// Metadata is merged: what an earlier attempt has said must be taken back expressly.
fn forget_earlier(result: &mut WorkerResult, task: &Task) {
    for key in keys::OF_AN_ATTEMPT {
        if task.metadata.contains_key(key) && !result.metadata.contains_key(key) {
            result.metadata.insert(key.to_owned(), Value::Null);
        }
    }
}

/// What is made of answers.
#[derive(Clone, Copy)]
pub(super) struct Taking<'a> {
    pub(super) cx: &'a TaskContext,
    pub(super) max: usize,
    pub(super) select: Option<&'a Select>,
}

/// An answer, as far as it has come and is kept.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    content_type: Option<String>,
    body: Vec<u8>,
    is_cut: bool,
    has_event: bool,
    /// Takes the body apart, if what is kept is not the body itself.
    parts: Option<Parts>,
    /// Finds the lines to be reported, of a body that tells them as it goes.
    lines: Option<Lines>,
}

impl Answer {
    pub(super) fn of(response: &HttpResponse, taking: Taking<'_>) -> Self {
        let content_type = response.header_value("content-type");
        let form = content_type.and_then(Form::of).filter(|_| is_success(response.status));
        let has_parts = form == Some(Form::Events) || taking.select.is_some();
        Self {
            status: response.status,
            content_type: content_type.map(|t| first_bytes(t, CONTENT_TYPE_BYTES_MAX).to_owned()),
            body: Vec::new(),
            is_cut: false,
            has_event: false,
            parts: form.filter(|_| has_parts).map(|form| Parts::new(form, taking.max)),
            lines: form.map(|_| Lines::new()),
        }
    }

    /// Takes in more of the body. Tells whether there is room for what comes after.
    pub(super) fn push(&mut self, bytes: &[u8], taking: Taking<'_>) -> bool {
        let Some(mut parts) = self.parts.take() else {
            return self.keep(bytes, taking);
        };
        let end = parts.push(bytes, |event| self.tell(event, taking));
        self.is_cut |= end.is_err();
        self.parts = Some(parts);
        !self.is_cut
    }

    /// The body has come to its end.
    pub(super) fn finish(&mut self, taking: Taking<'_>) {
        if let Some(mut parts) = self.parts.take() {
            let (event, is_lost) = parts.finish();
            self.is_cut |= is_lost;
            if let Some(event) = event {
                self.tell(&event, taking);
            }
        }
        if let Some(lines) = self.lines.take() {
            lines.finish(|line| taking.cx.progress(line));
        }
    }

    /// Keeps what is wanted of an event: what was selected, or else its data as lines.
    fn tell(&mut self, event: &HttpEvent, taking: Taking<'_>) -> bool {
        if let Some(select) = taking.select {
            return select(event).is_none_or(|text| self.keep(text.as_bytes(), taking));
        }
        let is_first = !std::mem::replace(&mut self.has_event, true);
        let separator: &[u8] = if is_first { b"" } else { b"\n" };
        self.report(event.data.as_bytes(), taking);
        self.report(b"\n", taking);
        self.store(separator, taking) && self.store(event.data.as_bytes(), taking)
    }

    fn keep(&mut self, bytes: &[u8], taking: Taking<'_>) -> bool {
        self.report(bytes, taking);
        self.store(bytes, taking)
    }

    fn store(&mut self, bytes: &[u8], taking: Taking<'_>) -> bool {
        let room = taking.max.saturating_sub(self.body.len());
        let (first, beyond) = bytes.split_at(room.min(bytes.len()));
        self.body.extend_from_slice(first);
        self.is_cut |= !beyond.is_empty();
        !self.is_cut
    }

    fn report(&mut self, bytes: &[u8], taking: Taking<'_>) {
        if let Some(lines) = &mut self.lines {
            lines.push(bytes, |line| taking.cx.progress(line));
        }
    }

    fn into_result(self) -> WorkerResult {
        let mut result = WorkerResult::new(self.text()).with(keys::STATUS_CODE, self.status);
        if let Some(content_type) = self.content_type {
            result = result.with(keys::CONTENT_TYPE, content_type);
        }
        if self.is_cut {
            result = result.with(keys::BODY_TRUNCATED, true);
        }
        result
    }

    /// What is kept as text; a character that the bound has cut in two is left out.
    pub(super) fn text(&self) -> String {
        let body = match self.is_cut {
            true => without_split_end(&self.body),
            false => &self.body,
        };
        String::from_utf8_lossy(body).into_owned()
    }
}

pub(super) fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// Why an answer is refused that came compressed.
pub(super) const PACKED: &str = "it is compressed, and the server was asked not to do that";

/// Whether the body is as it was meant, or as the call asked for it.
pub(super) fn can_be_read(request: &HttpRequest, response: &HttpResponse) -> bool {
    let encoding = response.header_value("content-encoding").unwrap_or_default();
    let is_plain = encoding.is_empty() || encoding.eq_ignore_ascii_case("identity");
    is_plain || request.header_value("accept-encoding").is_some()
}
