//! Everything that is said about what happened: events, log records, metrics.
//!
//! The writer hands over each commit, and what is told follows from what was committed. Nothing
//! else in the engine logs, counts or publishes.

mod metrics;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use loom_core::{
    Applied, Batch, Committed, EventType, FailureCode, GateDecision, Kind, NewTask, Op,
    ProgressReport, Task, TaskEvent, TaskId, TaskStatus, TaskSummary, Transition, WorkerType,
};
use loom_deps::{Level, LogRecord, Logger, Timestamp};
use opentelemetry::metrics::Meter;

use self::metrics::Metrics;
use crate::events::Bus;

pub(crate) struct Recorder {
    pub(crate) bus: Arc<Bus>,
    logger: Arc<dyn Logger>,
    metrics: Metrics,
    /// Counts the events of this start of the engine.
    sequence: AtomicU64,
}

/// The task that something is told of.
#[derive(Clone, Copy)]
struct Subject<'a> {
    id: &'a TaskId,
    project_id: &'a str,
    request_id: Option<&'a str>,
    worker_type: Option<&'a WorkerType>,
    attempt: u32,
}

/// What is told of a subject.
#[derive(Clone, Copy, Default)]
struct Telling<'a> {
    at: Timestamp,
    reason: Option<&'static str>,
    error: Option<&'a str>,
    line: Option<&'a str>,
    took: Option<Duration>,
}

impl<'a> Subject<'a> {
    fn of_task(task: &'a Task) -> Self {
        Self {
            id: &task.id,
            project_id: &task.project_id,
            request_id: task.request_id.as_deref(),
            worker_type: Some(&task.worker_type),
            attempt: task.attempt,
        }
    }

    fn of_summary(task: &'a TaskSummary) -> Self {
        Self {
            id: &task.id,
            project_id: &task.project_id,
            request_id: task.request_id.as_deref(),
            worker_type: Some(&task.worker_type),
            attempt: task.attempt,
        }
    }

    fn of_new(task: &'a NewTask) -> Self {
        Self {
            id: &task.id,
            project_id: &task.request.project_id,
            request_id: task.request.request_id.as_deref(),
            worker_type: Some(&task.request.worker_type),
            attempt: 0,
        }
    }

    /// A task of which nothing but the id is known.
    const fn of_id(id: &'a TaskId) -> Self {
        Self { id, project_id: "", request_id: None, worker_type: None, attempt: 0 }
    }
}

impl Recorder {
    pub(crate) fn new(bus: Arc<Bus>, logger: Arc<dyn Logger>, meter: &Meter) -> Self {
        Self { bus, logger, metrics: Metrics::new(meter), sequence: AtomicU64::new(0) }
    }

    /// The number of the event told last.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }

    /// Tells of a commit, in the order in which its effects came about. `about` holds the task that
    /// each operation is about, where the writer knows it. Returns the tasks that have ended.
    pub(crate) fn committed(
        &self,
        batch: &Batch,
        about: &[Option<Arc<Task>>],
        committed: &Committed,
    ) -> Vec<TaskId> {
        let mut ended = Vec::new();
        let answered = || batch.ops.iter().zip(about).zip(&committed.applied);
        for ((op, about), applied) in answered() {
            match (op, applied) {
                (Op::Insert(task), Applied::Inserted { .. }) => self.created(task),
                (Op::Progress(report), Applied::Reported) => {
                    self.progressed(report, about.as_deref());
                }
                _ => {}
            }
        }
        for ((op, about), applied) in answered() {
            match (op, applied) {
                (Op::Apply(transition), Applied::Changed { from, to }) => {
                    self.changed(transition, about.as_deref(), *from, *to);
                    ended.extend(to.is_terminal().then(|| transition.task.clone()));
                }
                (Op::Apply(transition), Applied::Stale) => self.stale(transition),
                (Op::Cancel(cancel), Applied::Cancelled(task)) => {
                    self.cancelled(task);
                    ended.push(cancel.task.clone());
                }
                _ => {}
            }
        }
        for task in &committed.claimed {
            self.claimed(task);
        }
        ended
    }

    fn created(&self, task: &NewTask) {
        let subject = Subject::of_new(task);
        self.metrics.submitted(subject);
        let telling = Telling { at: task.created_at, ..Telling::default() };
        self.arrived(subject, TaskStatus::Pending, telling);
    }

    fn claimed(&self, task: &Task) {
        let subject = Subject::of_task(task);
        let at = task.started_at.unwrap_or_default();
        self.metrics.started(subject, at.since(task.created_at));
        let telling = Telling { at, ..Telling::default() };
        self.arrived(subject, TaskStatus::Dispatched, telling);
        self.arrived(subject, TaskStatus::Running, telling);
    }

    fn changed(
        &self,
        transition: &Transition,
        task: Option<&Task>,
        from: TaskStatus,
        to: TaskStatus,
    ) {
        let subject = task.map_or_else(|| Subject::of_id(&transition.task), Subject::of_task);
        let took = task.and_then(|task| task.dispatched_at.or(task.started_at));
        let failed = matches!(to, TaskStatus::Failed | TaskStatus::FailedCrash);
        let telling = Telling {
            at: transition.at,
            reason: match to {
                TaskStatus::Retrying => transition.reason.map(|reason| reason.as_str()),
                _ if failed => transition.ended.failure.map(FailureCode::as_str),
                _ => None,
            },
            error: transition.ended.error.as_deref().filter(|_| to != TaskStatus::Cancelled),
            took: took.map(|start| transition.at.since(start)),
            line: None,
        };
        // A cancel that was recorded before wins, and is then the only step taken.
        let steps = match transition.kind.from(from) {
            Some(row) if row.kind.target() == to => row.path,
            _ => Kind::Cancel.from(from).map_or(&[][..], |row| row.path),
        };
        for status in steps {
            self.arrived(subject, *status, telling);
        }
    }

    fn cancelled(&self, task: &TaskSummary) {
        let at = task.completed_at.unwrap_or_default();
        let took = task.dispatched_at.map(|start| at.since(start));
        let telling = Telling { at, took, ..Telling::default() };
        self.arrived(Subject::of_summary(task), TaskStatus::Cancelled, telling);
    }

    fn progressed(&self, report: &ProgressReport, task: Option<&Task>) {
        let subject = task.map_or_else(|| Subject::of_id(&report.task), Subject::of_task);
        let telling = Telling { at: report.at, line: Some(&report.line), ..Telling::default() };
        self.publish(EventType::Progress, subject, TaskStatus::Running, telling);
    }

    /// Tells that a task has come to a status: an event, a log record, the metrics.
    fn arrived(&self, subject: Subject<'_>, status: TaskStatus, telling: Telling<'_>) {
        self.publish(EventType::arrival(status), subject, status, telling);
        self.metrics.arrived(subject, status, telling.took);
        let (level, message) = wording(status);
        if !self.logger.wants(level) {
            return;
        }
        let mut record =
            about(LogRecord::new(level, message), subject).with("task_status", status.as_str());
        if let Some(took) = telling.took.filter(|_| status.is_terminal()) {
            record = record.with("duration_ms", millis(took));
        }
        if let Some(reason) = telling.reason {
            record = record.with("error_code", reason);
        }
        if let Some(error) = telling.error {
            record = record.with("error", error.to_owned());
        }
        self.logger.log(record);
    }

    fn publish(
        &self,
        kind: EventType,
        subject: Subject<'_>,
        status: TaskStatus,
        telling: Telling<'_>,
    ) {
        let sequence = self.sequence.fetch_add(1, Ordering::AcqRel) + 1;
        if !self.bus.is_heard() {
            return;
        }
        let mut event = TaskEvent::new(kind, subject.id.clone(), status, telling.at, sequence);
        subject.project_id.clone_into(&mut event.project_id);
        event.request_id = subject.request_id.map(str::to_owned);
        event.attempt = subject.attempt;
        event.reason = telling.reason;
        event.line = telling.line.map(str::to_owned);
        self.bus.publish(event);
    }

    /// The gate has judged an output. Only what follows from it is durable, so there is no event.
    pub(crate) fn judged(&self, task: &Task, decision: &GateDecision) {
        let subject = Subject::of_task(task);
        self.metrics.judged(subject, decision.accept);
        let (level, message) = match decision.accept {
            true => (Level::Debug, "gate passed"),
            false => (Level::Warn, "gate rejected"),
        };
        if self.logger.wants(level) {
            let record = about(LogRecord::new(level, message), subject)
                .with("task_status", task.status.as_str())
                .with("error_code", decision.reason.clone().into_owned());
            self.logger.log(record);
        }
    }

    /// A submission took this long, from the call to its durability.
    pub(crate) fn submitted_in(&self, took: Duration, worker_type: &WorkerType, project: &str) {
        self.metrics.submitted_in(took, worker_type, project);
    }

    /// An attempt ended that was no longer this instance's.
    fn stale(&self, transition: &Transition) {
        let subject = Subject::of_id(&transition.task);
        let message = "a late report was dropped: the task is in other hands or has ended";
        self.logger.log(about(LogRecord::new(Level::Warn, message), subject));
    }

    /// Something beneath failed, and what was to be done goes on or is done later.
    pub(crate) fn trouble(&self, message: &'static str, error: impl ToString) {
        let record = LogRecord::new(Level::Warn, message)
            .with("module", "loom")
            .with("error_code", FailureCode::Store.as_str())
            .with("error", error.to_string());
        self.logger.log(record);
    }

    /// What a dead process left of a task could not be ended.
    pub(crate) fn not_reaped(&self, task: &Task, error: impl ToString) {
        let message = "what a dead process left running could not be ended";
        let record = about(LogRecord::new(Level::Error, message), Subject::of_task(task));
        self.logger.log(record.with("error", error.to_string()));
    }
}

fn about(record: LogRecord, subject: Subject<'_>) -> LogRecord {
    let record = record
        .with("module", "loom")
        .with("task_id", subject.id.to_string())
        .with("project_id", subject.project_id.to_owned());
    let record = match subject.worker_type {
        Some(worker_type) => record.with("worker_type", worker_type.to_string()),
        None => record,
    };
    match subject.request_id {
        Some(request_id) => record.with("request_id", request_id.to_owned()),
        None => record,
    }
}

const fn wording(status: TaskStatus) -> (Level, &'static str) {
    match status {
        TaskStatus::Pending => (Level::Info, "task submitted"),
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

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
