//! The instruments of an engine.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use loom_core::{TaskStatus, WorkerType};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};

use super::Subject;
use crate::panics::caught;

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
    running: Running,
    depth: Arc<Depth>,
    by_project: bool,
}

impl Metrics {
    pub(super) fn new(meter: &Meter, engine_name: &str, by_project: bool) -> Self {
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
            running: Running(Some(meter.i64_up_down_counter("loom.tasks.running").build())),
            depth: Depth::observed(meter, engine_name),
            by_project,
        }
    }

    pub(super) fn running(&self) -> Running {
        self.running.clone()
    }

    pub(super) const fn depth(&self) -> &Arc<Depth> {
        &self.depth
    }

    pub(super) fn submitted(&self, subject: Subject<'_>) {
        self.about(subject, |labels| self.submitted.add(1, labels));
    }

    pub(super) fn submitted_in(&self, took: Duration, worker_type: &WorkerType, project: &str) {
        let took = millis(took);
        self.labelled(worker_type.as_str(), project, |labels| {
            self.submit_duration.record(took, labels);
        });
    }

    pub(super) fn started(&self, subject: Subject<'_>, waited: Duration) {
        if subject.attempt <= 1 {
            self.about(subject, |labels| self.wait_duration.record(millis(waited), labels));
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
        self.about(subject, |labels| {
            counter.add(1, labels);
            if let Some(took) = took.filter(|_| to.is_terminal()) {
                self.task_duration.record(millis(took), labels);
            }
        });
    }

    pub(super) fn judged(&self, subject: Subject<'_>, accepted: bool) {
        let counter = if accepted { &self.gate_pass } else { &self.gate_fail };
        self.about(subject, |labels| counter.add(1, labels));
    }

    fn about(&self, subject: Subject<'_>, measure: impl FnOnce(&[KeyValue])) {
        let worker_type = subject.worker_type.map_or("", WorkerType::as_str);
        self.labelled(worker_type, subject.project_id, measure);
    }

    fn labelled(&self, worker_type: &str, project: &str, measure: impl FnOnce(&[KeyValue])) {
        let worker_type = label("worker_type", worker_type);
        quietly(|| match self.by_project {
            true => measure(&[worker_type, label("project_id", project)]),
            false => measure(&[worker_type]),
        });
    }
}

/// Counts the slots that are taken. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Running(Option<UpDownCounter<i64>>);

impl Running {
    /// So many more attempts of a type have a slot, or fewer.
    pub(crate) fn change(&self, worker_type: &WorkerType, by: i64) {
        if let Some(counter) = &self.0 {
            quietly(|| counter.add(by, &[label("worker_type", worker_type.as_str())]));
        }
    }
}

/// How many tasks of an engine wait, as far as is known.
#[derive(Default)]
pub(crate) struct Depth(Mutex<Option<u64>>);

impl Depth {
    /// A depth that a meter asks for whenever it collects, for as long as it is held.
    fn observed(meter: &Meter, engine_name: &str) -> Arc<Self> {
        let depth = Arc::new(Self::default());
        let known = Arc::downgrade(&depth);
        let labels = [label("engine_name", engine_name)];
        meter
            .u64_observable_gauge("loom.tasks.queued")
            .with_callback(move |observer| {
                if let Some(waiting) = known.upgrade().and_then(|depth| *depth.lock()) {
                    observer.observe(waiting, &labels);
                }
            })
            .build();
        depth
    }

    pub(crate) fn set(&self, waiting: Option<u64>) {
        *self.lock() = waiting;
    }

    fn lock(&self) -> MutexGuard<'_, Option<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn label(name: &'static str, value: &str) -> KeyValue {
    KeyValue::new(name, value.to_owned())
}

/// What measures may be the program's own: if it panics, a value is lost and nothing else.
fn quietly(measure: impl FnOnce()) {
    let _ = caught(measure);
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
