//! What has come of a call, and what it means for the attempt.

use std::time::Duration;

use loom_core::{Task, WorkerResult, first_bytes};
use serde_json::Value;

use super::client::HttpResponse;
use super::keys;
use crate::capture::without_split_end;

/// Longest content type that metadata repeat.
const CONTENT_TYPE_BYTES_MAX: usize = 256;

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

/// An answer, as far as it has come and is kept.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    content_type: Option<String>,
    body: Vec<u8>,
    is_cut: bool,
}

impl Answer {
    pub(super) fn of(response: &HttpResponse) -> Self {
        let content_type = response.header_value("content-type");
        Self {
            status: response.status,
            content_type: content_type.map(|t| first_bytes(t, CONTENT_TYPE_BYTES_MAX).to_owned()),
            body: Vec::new(),
            is_cut: false,
        }
    }

    /// Takes in more of the body. Tells whether there is room for what comes after.
    pub(super) fn push(&mut self, bytes: &[u8], max: usize) -> bool {
        let room = max.saturating_sub(self.body.len());
        let (first, beyond) = bytes.split_at(room.min(bytes.len()));
        self.body.extend_from_slice(first);
        self.is_cut = !beyond.is_empty();
        !self.is_cut
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

    /// The body as text; a character that the bound has cut in two is left out.
    fn text(&self) -> String {
        let body = match self.is_cut {
            true => without_split_end(&self.body),
            false => &self.body,
        };
        String::from_utf8_lossy(body).into_owned()
    }
}
