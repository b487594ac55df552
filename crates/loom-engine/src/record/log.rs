//! The wording of what is logged.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use loom_core::{FailureCode, GateDecision, Hold, TaskId, TaskStatus, WorkerType};
use loom_deps::{Level, LogRecord, LogValue, Logger, Timestamp};

use super::subject::{Subject, Telling};
use crate::panics::caught;

/// Where the engine says what happens. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Log(Arc<dyn Logger>);

impl Log {
    pub(super) const fn new(logger: Arc<dyn Logger>) -> Self {
        Self(logger)
    }

    /// A task has come to a status.
    pub(super) fn arrived(&self, subject: Subject<'_>, status: TaskStatus, telling: Telling<'_>) {
        let (level, message) = arrival(status);
        self.say(level, || {
            let record = about(level, message, subject).with("task_status", status.as_str());
            let took = telling.took.filter(|_| status.is_terminal());
            let record = with(record, "duration_ms", took.map(millis));
            let record = with(record, "error_code", telling.reason);
            with(record, "error", telling.error)
        });
    }

    /// A task of another system was taken over.
    pub(super) fn imported(&self, subject: Subject<'_>, status: TaskStatus) {
        self.say(Level::Debug, || {
            about(Level::Debug, "task imported", subject).with("task_status", status.as_str())
        });
    }

    /// The gate has judged an output.
    pub(super) fn judged(&self, subject: Subject<'_>, status: TaskStatus, decision: &GateDecision) {
        let (level, message) = match decision.accept {
            true => (Level::Debug, "gate passed"),
            false => (Level::Warn, "gate rejected"),
        };
        self.say(level, || {
            let reason = &*decision.reason;
            let record = about(level, message, subject)
                .with("task_status", status.as_str())
                .with("reason", reason);
            with(record, "error_code", (!decision.accept).then_some(reason))
        });
    }

    /// An account is held as was asked for, or free. If it is held for longer than that, there is
    /// nothing new.
    pub(super) fn held(&self, hold: &Hold, until: Option<Timestamp>) {
        let (level, message) = match hold.until {
            None => (Level::Info, "account released"),
            Some(_) if hold.until == until => (Level::Warn, "account held: no task of it starts"),
            Some(_) => return,
        };
        self.say(level, || {
            let record = module(level, message).with("account", hold.account.as_str());
            with(record, "until", until.map(|until| until.to_string()))
        });
    }

    /// An attempt ended that was no longer this instance's.
    pub(super) fn stale(&self, subject: Subject<'_>) {
        let message = "a late report was dropped: the task is in other hands or has ended";
        self.say(Level::Warn, || about(Level::Warn, message, subject));
    }

    /// Something beneath failed.
    pub(super) fn trouble(&self, message: &'static str, error: &dyn fmt::Display) {
        self.say(Level::Warn, || {
            module(Level::Warn, message)
                .with("error_code", FailureCode::Store.as_str())
                .with("error", error.to_string())
        });
    }

    /// What a dead process left of a task could not be ended.
    pub(super) fn not_reaped(&self, subject: Subject<'_>, error: &dyn fmt::Display) {
        let message = "what a dead process left running could not be ended";
        self.say(Level::Error, || {
            about(Level::Error, message, subject).with("error", error.to_string())
        });
    }

    /// There is no thread to call callbacks on.
    pub(crate) fn no_callback_thread(&self, error: &std::io::Error) {
        let message = "no thread for event callbacks; they are not called";
        self.say(Level::Error, || module(Level::Error, message).with("error", error.to_string()));
    }

    /// A callback has not returned for this long.
    pub(crate) fn callback_stuck(&self, waited: Duration) {
        let message = "an event callback does not return";
        self.say(Level::Warn, || module(Level::Warn, message).with("duration_ms", millis(waited)));
    }

    /// A callback panicked when it was told of a task.
    pub(crate) fn callback_panicked(&self, task: &TaskId) {
        let message = "an event callback panicked";
        self.say(Level::Error, || about(Level::Error, message, Subject::of_id(task)));
    }

    /// Makes a record only if somebody wants it. A logger that panics is the program's own: what it
    /// was told is lost, and nothing else.
    fn say<'a>(&self, level: Level, record: impl FnOnce() -> LogRecord<'a>) {
        let log = || {
            if self.0.wants(level) {
                self.0.log(record());
            }
        };
        let _ = caught(log);
    }
}

const fn arrival(status: TaskStatus) -> (Level, &'static str) {
    match status {
        // Whoever submits knows; what becomes of it is the news.
        TaskStatus::Pending => (Level::Debug, "task submitted"),
        TaskStatus::Dispatched => (Level::Debug, "task dispatched"),
        TaskStatus::Running => (Level::Info, "task running"),
        TaskStatus::Retrying => (Level::Warn, "task will be retried"),
        TaskStatus::Completed => (Level::Info, "task completed"),
        TaskStatus::Failed => (Level::Error, "task failed"),
        TaskStatus::FailedCrash => (Level::Error, "task crashed"),
        TaskStatus::Cancelled => (Level::Info, "task cancelled"),
        _ => (Level::Info, "task changed"),
    }
}

fn module<'a>(level: Level, message: &'static str) -> LogRecord<'a> {
    LogRecord::new(level, message).with("module", "loom")
}

fn about<'a>(level: Level, message: &'static str, subject: Subject<'a>) -> LogRecord<'a> {
    let record = module(level, message)
        .with("task_id", subject.id.as_str())
        .with("project_id", subject.project_id);
    let record = with(record, "worker_type", subject.worker_type.map(WorkerType::as_str));
    with(record, "request_id", subject.request_id)
}

fn with<'a>(
    record: LogRecord<'a>,
    field: &'static str,
    value: Option<impl Into<LogValue<'a>>>,
) -> LogRecord<'a> {
    match value {
        Some(value) => record.with(field, value),
        None => record,
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
