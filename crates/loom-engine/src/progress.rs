//! The lines that one attempt reports, written no faster than they are worth.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use loom_core::limits::PROGRESS_INTERVAL_MIN;
use loom_core::{ProgressReport, ProgressSink, Redactor, Task};
use loom_deps::{Clock, Timestamp};
use tokio::sync::{Notify, watch};

use crate::context::Context;

/// Lines that have come and are not written yet. Of many, the last is kept and all are counted.
pub(crate) struct Reports {
    clock: Arc<dyn Clock>,
    redactor: Redactor,
    waiting: Mutex<Waiting>,
    came: Notify,
    /// When the attempt gave its last sign of life.
    alive: watch::Sender<Timestamp>,
}

#[derive(Default)]
struct Waiting {
    line: String,
    lines: u64,
    at: Timestamp,
}

impl Reports {
    pub(crate) fn new(clock: Arc<dyn Clock>, redactor: Redactor) -> Self {
        let alive = watch::Sender::new(clock.now());
        Self { clock, redactor, waiting: Mutex::default(), came: Notify::new(), alive }
    }

    /// Returns when there has been no sign of life for `limit`.
    pub(crate) async fn silence(&self, cx: &Context, limit: Duration) {
        loop {
            let last = *self.alive.borrow();
            cx.timer.sleep_until(last.saturating_add(limit)).await;
            if *self.alive.borrow() == last {
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
        let waiting = std::mem::take(&mut *self.lock());
        if waiting.lines == 0 {
            return;
        }
        let report = ProgressReport {
            task: task.id.clone(),
            epoch: task.epoch,
            line: waiting.line,
            lines: waiting.lines,
            at: waiting.at,
        };
        // What a broken store loses of it is no harm: the attempt goes on.
        let _ = cx.writer.report(task, report).await;
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProgressSink for Reports {
    fn report(&self, text: &str) {
        let at = self.clock.now();
        let (line, lines) = ProgressReport::condense(&self.redactor.redact(text));
        let mut waiting = self.lock();
        waiting.lines = waiting.lines.saturating_add(lines);
        waiting.at = at;
        if let Some(line) = line {
            waiting.line = line;
        }
        drop(waiting);
        self.alive.send_replace(at);
        self.came.notify_one();
    }
}
