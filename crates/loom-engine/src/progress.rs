//! The lines that one attempt reports, written no faster than they are worth.

use std::convert::Infallible;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use loom_core::limits::{PROGRESS_INTERVAL_MIN, PROGRESS_SEEN_BYTES_MAX};
use loom_core::{ProgressReport, ProgressSink, Redactor, Task, first_bytes};
use loom_deps::{Clock, Timestamp};
use tokio::sync::Notify;

use crate::context::Context;

/// How much of one line is looked at. What is kept of it is far shorter.
const LINE_SEEN_BYTES_MAX: usize = 2 << 10;
/// How much of what came last is looked at, so that a secret of several lines is seen as one.
const RECENT_BYTES_MIN: usize = PROGRESS_SEEN_BYTES_MAX;
const RECENT_BYTES_MAX: usize = 2 * RECENT_BYTES_MIN;

/// Lines that have come and are not written yet. Of many, the last is kept and all are counted.
///
/// Taking a line is cheap, for commands may print millions. Secrets are looked for only in what is
/// written.
pub(crate) struct Reports {
    clock: Arc<dyn Clock>,
    redactor: Redactor,
    waiting: Mutex<Waiting>,
    came: Notify,
    /// When the attempt gave its last sign of life, in microseconds.
    alive_micros: AtomicI64,
    /// How often the attempt waits for another task, which is a sign of life for as long as it lasts.
    pauses: AtomicUsize,
}

#[derive(Default)]
struct Waiting {
    /// The latest lines, written ones included.
    recent: String,
    /// How many have come that are not written.
    lines: u64,
    at: Timestamp,
}

impl Waiting {
    fn push(&mut self, text: &str) {
        for line in text.lines() {
            self.lines = self.lines.saturating_add(1);
            self.recent.push_str(first_bytes(line, LINE_SEEN_BYTES_MAX));
            self.recent.push('\n');
            if self.recent.len() > RECENT_BYTES_MAX {
                self.forget();
            }
        }
        if text.is_empty() {
            self.lines = self.lines.saturating_add(1);
        }
    }

    fn push_many(&mut self, count: u64, latest: &str) {
        let lines = self.lines.saturating_add(count);
        if (RECENT_BYTES_MIN..RECENT_BYTES_MAX).contains(&latest.len()) {
            // It is all that is looked at, so it need not be taken to pieces.
            self.recent.clear();
            self.recent.push_str(latest);
        } else {
            self.push(latest);
        }
        self.lines = lines;
    }

    /// Drops the older half, up to the end of a line.
    fn forget(&mut self) {
        let half = self.recent.floor_char_boundary(self.recent.len() - RECENT_BYTES_MIN);
        let end = self.recent[half..].find('\n').map_or(half, |end| half + end + 1);
        self.recent.drain(..end);
    }

    /// What is to be written, if anything has come.
    fn take(&mut self) -> Option<(String, u64, Timestamp)> {
        let lines = std::mem::take(&mut self.lines);
        (lines > 0).then(|| (self.recent.clone(), lines, self.at))
    }
}

impl Reports {
    pub(crate) fn new(clock: Arc<dyn Clock>, redactor: Redactor) -> Self {
        let alive_micros = AtomicI64::new(clock.now().as_micros());
        let (waiting, came, pauses) = (Mutex::default(), Notify::new(), AtomicUsize::new(0));
        Self { clock, redactor, waiting, came, alive_micros, pauses }
    }

    /// Takes secrets out of what is said of the attempt.
    pub(crate) const fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The attempt begins to wait for another task.
    pub(crate) fn pause(&self) {
        self.pauses.fetch_add(1, Ordering::AcqRel);
    }

    /// The attempt has waited.
    pub(crate) fn resume(&self) {
        self.is_alive();
        self.pauses.fetch_sub(1, Ordering::AcqRel);
    }

    /// The attempt gives a sign of life.
    pub(crate) fn is_alive(&self) {
        self.lives(self.clock.now());
    }

    /// Returns when there has been no sign of life for `limit`.
    pub(crate) async fn silence(&self, cx: &Context, limit: Duration) {
        loop {
            let last = self.alive_at();
            cx.timer.sleep_until(last.saturating_add(limit)).await;
            if self.pauses.load(Ordering::Acquire) > 0 {
                self.lives(cx.now());
            } else if self.alive_at() == last {
                return;
            }
        }
    }

    /// Writes what comes, without end; dropped with the attempt.
    pub(crate) async fn pump(&self, cx: &Context, task: &Arc<Task>) -> Infallible {
        loop {
            self.came.notified().await;
            self.send(cx, task).await;
            cx.sleep(PROGRESS_INTERVAL_MIN).await;
        }
    }

    /// Writes what has come.
    pub(crate) async fn send(&self, cx: &Context, task: &Arc<Task>) {
        let Some((recent, lines, at)) = self.lock().take() else { return };
        let (line, _) = ProgressReport::condense(&self.redactor.redact(&recent));
        let line = line.unwrap_or_default();
        let report = ProgressReport { task: task.id.clone(), epoch: task.epoch, line, lines, at };
        // What a broken store loses of it is no harm: the attempt goes on. In a box, for most
        // attempts have nothing to write, and need no room for it then.
        let _ = Box::pin(cx.writer.report(task, report)).await;
    }

    fn lives(&self, at: Timestamp) {
        self.alive_micros.store(at.as_micros(), Ordering::Release);
    }

    fn alive_at(&self) -> Timestamp {
        Timestamp::from_micros(self.alive_micros.load(Ordering::Acquire))
    }

    fn take(&self, add: impl FnOnce(&mut Waiting)) {
        let at = self.clock.now();
        let mut waiting = self.lock();
        add(&mut waiting);
        waiting.at = at;
        drop(waiting);
        self.lives(at);
        self.came.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProgressSink for Reports {
    fn report(&self, text: &str) {
        self.take(|waiting| waiting.push(text));
    }

    fn wants_each(&self) -> bool {
        false
    }

    fn report_many(&self, count: u64, latest: &str) {
        self.take(|waiting| waiting.push_many(count, latest));
    }
}
