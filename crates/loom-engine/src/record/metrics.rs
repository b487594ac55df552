//! The instruments of an engine.

use std::time::Duration;

use loom_core::{TaskStatus, WorkerType};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};

use super::Subject;

/// Bounds of the histograms in milliseconds: from a millisecond to a day, for tasks take hours.
const BOUNDS_MS: [f64; 19] = [
    1.0,
    2.5,
    5.0,
    10.0,
    25.0,
    50.0,
    100.0,
    250.0,
    500.0,
    1_000.0,
    5_000.0,
    15_000.0,
    60_000.0,
    300_000.0,
    900_000.0,
    3_600_000.0,
    14_400_000.0,
    43_200_000.0,
    86_400_000.0,
];

/// Names and meanings are a contract, see `docs/observability.md`.
pub(super) struct Metrics {
    submitted: Counter<u64>,
    completed: Counter<u64>,
    failed: Counter<u64>,
    crashed: Counter<u64>,
    cancelled: Counter<u64>,
    retried: Counter<u64>,
    gate_pass: Counter<u64>,
    gate_fail: Counter<u64>,
    submit_duration: Histogram<f64>,
    task_duration: Histogram<f64>,
    wait_duration: Histogram<f64>,
}

impl Metrics {
    pub(super) fn new(meter: &Meter) -> Self {
        let counter = |name| meter.u64_counter(name).build();
        let histogram = |name| {
            meter.f64_histogram(name).with_unit("ms").with_boundaries(BOUNDS_MS.to_vec()).build()
        };
        Self {
            submitted: counter("loom.tasks.submitted"),
            completed: counter("loom.tasks.completed"),
            failed: counter("loom.tasks.failed"),
            crashed: counter("loom.tasks.crashed"),
            cancelled: counter("loom.tasks.cancelled"),
            retried: counter("loom.tasks.retried"),
            gate_pass: counter("loom.gate.pass"),
            gate_fail: counter("loom.gate.fail"),
            submit_duration: histogram("loom.submit.duration_ms"),
            task_duration: histogram("loom.task.duration_ms"),
            wait_duration: histogram("loom.task.wait_ms"),
        }
    }

    pub(super) fn submitted(&self, subject: Subject<'_>) {
        self.submitted.add(1, &attributes(subject));
    }

    pub(super) fn submitted_in(&self, took: Duration, worker_type: &WorkerType, project: &str) {
        self.submit_duration.record(millis(took), &labels(worker_type.as_str(), project));
    }

    pub(super) fn started(&self, subject: Subject<'_>, waited: Duration) {
        if subject.attempt <= 1 {
            self.wait_duration.record(millis(waited), &attributes(subject));
        }
    }

    pub(super) fn arrived(&self, subject: Subject<'_>, to: TaskStatus, took: Option<Duration>) {
        let counter = match to {
            TaskStatus::Completed => &self.completed,
            TaskStatus::Failed => &self.failed,
            TaskStatus::FailedCrash => &self.crashed,
            TaskStatus::Cancelled => &self.cancelled,
            TaskStatus::Retrying => &self.retried,
            _ => return,
        };
        let attributes = attributes(subject);
        counter.add(1, &attributes);
        if let Some(took) = took.filter(|_| to.is_terminal()) {
            self.task_duration.record(millis(took), &attributes);
        }
    }

    pub(super) fn judged(&self, subject: Subject<'_>, accepted: bool) {
        let counter = if accepted { &self.gate_pass } else { &self.gate_fail };
        counter.add(1, &attributes(subject));
    }
}

fn attributes(subject: Subject<'_>) -> [KeyValue; 2] {
    labels(subject.worker_type.map_or("", WorkerType::as_str), subject.project_id)
}

fn labels(worker_type: &str, project: &str) -> [KeyValue; 2] {
    [
        KeyValue::new("worker_type", worker_type.to_owned()),
        KeyValue::new("project_id", project.to_owned()),
    ]
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
