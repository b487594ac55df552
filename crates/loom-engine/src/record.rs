//! Everything that is said about what happened: events, log records, metrics.
//!
//! The writer hands over each commit, and what is told follows from what was committed. Nothing
//! else in the engine logs, counts or publishes.

mod log;
mod metrics;
mod subject;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use loom_core::{
    Applied, Batch, Committed, EventType, FailureCode, GateDecision, Kind, NewTask, Op,
    ProgressReport, Task, TaskEvent, TaskId, TaskStatus, TaskSummary, Transition, WorkerType,
};
use loom_deps::Logger;
use opentelemetry::metrics::Meter;

pub(crate) use self::log::Log;
use self::metrics::Metrics;
pub(crate) use self::metrics::{Depth, Running};
use self::subject::{Subject, Telling};
use crate::events::Bus;

pub(crate) struct Recorder {
    pub(crate) bus: Arc<Bus>,
    log: Log,
    /// Nothing where nobody measures: then no labels are made either.
    metrics: Option<Metrics>,
    /// Counts the events of this start of the engine.
    sequence: AtomicU64,
}

impl Recorder {
    /// Speaks for the engine of this name. Without a meter of its own that is the program's, if it
    /// has one.
    pub(crate) fn new(
        logger: Arc<dyn Logger>,
        meter: Option<Meter>,
        engine_name: &str,
        by_project: bool,
    ) -> Self {
        let log = Log::new(logger);
        let meter = meter.or_else(global_meter);
        Self {
            bus: Arc::new(Bus::new(log.clone())),
            log,
            metrics: meter.map(|meter| Metrics::new(&meter, engine_name, by_project)),
            sequence: AtomicU64::new(0),
        }
    }

    /// What counts the slots that are taken.
    pub(crate) fn running(&self) -> Running {
        self.metrics.as_ref().map(Metrics::running).unwrap_or_default()
    }

    /// Where to say how many tasks wait, if anybody measures.
    pub(crate) fn depth(&self) -> Option<&Arc<Depth>> {
        self.metrics.as_ref().map(Metrics::depth)
    }

    fn measure(&self, measure: impl FnOnce(&Metrics)) {
        if let Some(metrics) = &self.metrics {
            measure(metrics);
        }
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
                // History: it happened elsewhere, so there are no events and no metrics of it.
                (Op::Import(task), Applied::Inserted { .. }) => {
                    let task = task.as_task();
                    self.log.imported(Subject::of_task(task), task.status);
                }
                (Op::Progress(report), Applied::Reported) => {
                    self.progressed(report, about.as_deref());
                }
                (Op::Hold(hold), Applied::Held(until)) => self.log.held(hold, *until),
                _ => {}
            }
        }
        for ((op, about), applied) in answered() {
            match (op, applied) {
                (Op::Apply(transition), Applied::Changed { from, to }) => {
                    self.changed(transition, about.as_deref(), *from, *to);
                    ended.extend(to.is_terminal().then(|| transition.task.clone()));
                }
                (Op::Apply(transition), Applied::Stale) => {
                    self.log.stale(Subject::of_id(&transition.task));
                }
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
        self.measure(|metrics| metrics.submitted(subject));
        let telling = Telling { at: task.created_at, ..Telling::default() };
        self.arrived(subject, TaskStatus::Pending, telling);
    }

    fn claimed(&self, task: &Task) {
        let subject = Subject::of_task(task);
        let at = task.started_at.unwrap_or_default();
        self.measure(|metrics| metrics.started(subject, at.since(task.created_at)));
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
        self.measure(|metrics| metrics.arrived(subject, status, telling.took));
        self.log.arrived(subject, status, telling);
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
        self.measure(|metrics| metrics.judged(subject, decision.accept));
        self.log.judged(subject, task.status, decision);
    }

    /// A submission took this long, from the call to its durability.
    pub(crate) fn submitted_in(&self, took: Duration, worker_type: &WorkerType, project: &str) {
        self.measure(|metrics| metrics.submitted_in(took, worker_type, project));
    }

    /// Something beneath failed, and what was to be done goes on or is done later.
    pub(crate) fn trouble(&self, message: &'static str, error: &dyn fmt::Display) {
        self.log.trouble(message, error);
    }

    /// What a dead process left of a task could not be ended.
    pub(crate) fn not_reaped(&self, task: &Task, error: &dyn fmt::Display) {
        self.log.not_reaped(Subject::of_task(task), error);
    }
}

/// The meter of the program, unless it has set no provider: the one that is there then does nothing,
/// and holds nothing to do anything with.
fn global_meter() -> Option<Meter> {
    let provider = opentelemetry::global::meter_provider();
    (size_of_val(&*provider) > 0).then(|| provider.meter("loom"))
}
