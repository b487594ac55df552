//! Reading what a tool writes, while it writes it.

use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use loom_core::{Stream, Task, TaskContext};
use memchr::memchr;
use serde_json::Value;

use super::reading::{EventRule, Reading, report_lines};
use crate::intake::OutputSink;

/// Longest event that is read; a longer one counts as malformed.
pub const EVENT_BYTES_MAX: usize = 1 << 20;

/// Reads the standard output of a tool that writes events, one a line, and reports as progress what
/// people can read of them. Of a tool whose output is one event as a whole it reports signs of life.
/// Hands everything on as it came.
pub(super) struct Reader {
    rules: Option<Arc<[EventRule]>>,
    cx: TaskContext,
    tee: Option<Arc<dyn OutputSink>>,
    /// Whoever is handed the output has had enough of it.
    is_alone: AtomicBool,
    state: Mutex<State>,
}

impl Reader {
    /// Without `rules`, the output is one event as a whole.
    pub(super) fn new(
        rules: Option<Arc<[EventRule]>>,
        cx: TaskContext,
        tee: Option<Arc<dyn OutputSink>>,
    ) -> Self {
        let is_alone = AtomicBool::new(tee.is_none());
        Self { rules, cx, tee, is_alone, state: Mutex::default() }
    }

    /// What was understood, the last event included, whether or not its line has an end.
    pub(super) fn finish(&self) -> Reading {
        let mut state = mem::take(&mut *self.state());
        let mut lines = Vec::new();
        if let Some(rules) = &self.rules {
            state.end_line(rules, &mut lines);
        }
        state.reading.finish(&mut |line: &str| lines.push(line.to_owned()));
        self.report(&lines);
        state.reading
    }

    /// Takes in bytes and gives the lines to report. There is always one: an empty one is a sign of
    /// life, and leaves the last line that was reported as it is.
    fn read(&self, bytes: &[u8]) -> Vec<String> {
        let rules = self.rules.as_ref();
        let mut lines = rules.map(|rules| self.state().push(bytes, rules)).unwrap_or_default();
        if lines.is_empty() {
            lines.push(String::new());
        }
        lines
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, lines: &[String]) {
        lines.iter().for_each(|line| self.cx.progress(line));
    }
}

#[async_trait]
impl OutputSink for Reader {
    async fn write(&self, task: &Task, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        self.report(&self.read(bytes));
        let Some(tee) = self.tee.as_ref().filter(|_| !self.is_alone.load(Ordering::Relaxed)) else {
            return Ok(());
        };
        if tee.write(task, stream, bytes).await.is_err() {
            self.is_alone.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[derive(Default)]
struct State {
    partial: Vec<u8>,
    /// The line is too long; its rest is skipped.
    is_skipping: bool,
    reading: Reading,
}

impl State {
    /// Takes in bytes and gives the lines to report.
    fn push(&mut self, bytes: &[u8], rules: &[EventRule]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut rest = bytes;
        while let Some((line, [_, after @ ..])) =
            memchr(b'\n', rest).and_then(|at| rest.split_at_checked(at))
        {
            self.add(line);
            self.end_line(rules, &mut lines);
            rest = after;
        }
        self.add(rest);
        lines
    }

    fn add(&mut self, part: &[u8]) {
        if self.is_skipping {
            return;
        }
        if self.partial.len() + part.len() > EVENT_BYTES_MAX {
            self.partial = Vec::new();
            self.is_skipping = true;
            return;
        }
        self.partial.extend_from_slice(part);
    }

    fn end_line(&mut self, rules: &[EventRule], lines: &mut Vec<String>) {
        if mem::take(&mut self.is_skipping) {
            self.reading.malformed += 1;
            return;
        }
        let mut report = |line: &str| lines.push(line.to_owned());
        match understand(&self.partial) {
            Line::Event(event) => self.reading.take(&event, rules, &mut report),
            Line::Malformed => self.reading.malformed += 1,
            Line::Words(words) => report_lines(&words, &mut report),
        }
        self.partial.clear();
    }
}

/// What a line is.
enum Line {
    Event(Value),
    /// An event that cannot be read.
    Malformed,
    /// Something else that people may want to read.
    Words(String),
}

fn understand(line: &[u8]) -> Line {
    let text = String::from_utf8_lossy(line);
    let text = text.trim();
    if !text.starts_with('{') {
        return Line::Words(text.to_owned());
    }
    serde_json::from_str(text).map_or(Line::Malformed, Line::Event)
}

/// Reads an output that is one event as a whole.
pub(super) fn read_whole(output: &str, rules: &[EventRule]) -> Reading {
    let mut reading = Reading::default();
    match event_in(output) {
        Some(event) => reading.take(&event, rules, &mut |_: &str| {}),
        None => reading.malformed = 1,
    }
    reading.finish(&mut |_: &str| {});
    reading
}

/// The event that an output is, or that begins with one of its lines and goes on to its end.
fn event_in(output: &str) -> Option<Value> {
    let text = output.trim();
    if text.len() > EVENT_BYTES_MAX {
        return None;
    }
    let start = if text.starts_with('{') { 0 } else { text.find("\n{")? };
    serde_json::from_str(text.get(start..)?).ok()
}
