//! A task, as it is read from a store.

use std::fmt;
use std::time::Duration;

use loom_deps::Timestamp;
use serde::{Serialize, Serializer};

use crate::env::Env;
use crate::failure::FailureCode;
use crate::ids::{InstanceId, TaskId, WorkerType};
use crate::status::TaskStatus;

/// Free-form values beside a task, by name.
pub type Metadata = serde_json::Map<String, serde_json::Value>;

/// What a task has reported while it ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// The last line that was not blank, cut to 100 bytes.
    pub line: String,
    /// How many lines there were.
    pub lines: u64,
    /// When the last one came.
    pub at: Option<Timestamp>,
}

impl Progress {
    /// Whether nothing has been reported.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.lines == 0
    }

    /// Takes in a report.
    pub fn add(&mut self, report: &crate::ProgressReport) {
        if !report.line.trim().is_empty() {
            self.line.clone_from(&report.line);
        }
        self.lines = self.lines.saturating_add(report.lines);
        self.at = Some(report.at);
    }
}

/// A task and all that is known of it.
///
/// `Debug` leaves out prompt, result, metadata and origin; `Serialize` writes the field names of the Go
/// library where it has the field and hides the values of the environment.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Task {
    /// Names the task.
    pub id: TaskId,
    /// A small number for people, unique within a database.
    pub seq: i64,
    /// Where the task stands.
    pub status: TaskStatus,
    /// The kind of work.
    pub worker_type: WorkerType,
    /// Whose work it is. Free text.
    pub project_id: String,
    /// The request that led to the task, for tracing it through systems.
    pub request_id: Option<String>,
    /// The engine that the task belongs to.
    pub engine_name: String,
    /// What to do.
    pub prompt: String,
    /// The directory to work in.
    pub cwd: Option<String>,
    /// Variables added to the command's environment.
    pub env: Env,
    /// The command-line tool to use.
    pub cli: Option<String>,
    /// The role that the tool should take.
    pub role: Option<String>,
    /// The model that the tool should use.
    pub model: Option<String>,
    /// How hard the tool should try.
    pub effort: Option<String>,
    /// How long each attempt may take. `None`: as long as it likes.
    pub timeout: Option<Duration>,
    /// How long an attempt may go without a sign of life.
    pub idle_timeout: Option<Duration>,
    /// How long the task may take from its submission on, waits and all attempts together.
    pub deadline: Option<Duration>,
    /// The trace that the task belongs to, as a W3C `traceparent`.
    pub trace_context: Option<String>,
    /// Retries after the first attempt, if the request named a number.
    pub max_retries: Option<u32>,
    /// Values of the request, and those that workers added.
    pub metadata: Metadata,
    /// What the worker produced in the last attempt.
    pub result: String,
    /// What went wrong. Set exactly if the status is failed or failed_crash; a task that was imported
    /// may have one with any status.
    pub error: Option<String>,
    /// What went wrong, for programs.
    pub failure: Option<FailureCode>,
    /// Attempts started so far.
    pub attempt: u32,
    /// Attempts that failed and were repeated.
    pub retries: u32,
    /// Attempts that a shutdown interrupted.
    pub interruptions: u32,
    /// Attempts that died with their process.
    pub crashes: u32,
    /// Grows with every claim; a change made for an older one is void.
    pub epoch: u64,
    /// The instance that has the task in hand.
    pub instance: Option<InstanceId>,
    /// The only instance that may claim the task, if it is not for all of its engine's.
    pub pinned_to: Option<InstanceId>,
    /// Who submitted the task: the identity that the program gave itself, if it gave itself one.
    pub daemon_id: Option<String>,
    /// What the system that the task was imported from kept of it and loom has no field for.
    pub origin: Metadata,
    /// When the task's end was asked for.
    pub cancel_requested_at: Option<Timestamp>,
    /// What the task reported last.
    pub progress: Progress,
    /// When the task was submitted.
    pub created_at: Timestamp,
    /// When the next attempt is due. Set while the task waits.
    pub run_at: Option<Timestamp>,
    /// When the task was first handed to an instance.
    pub dispatched_at: Option<Timestamp>,
    /// When the latest attempt started.
    pub started_at: Option<Timestamp>,
    /// When the task ended. Set exactly if the status is terminal.
    pub completed_at: Option<Timestamp>,
}

impl Task {
    /// How often the task waited for a limit to reset.
    #[must_use]
    pub const fn parked(&self) -> u32 {
        let repeated = self.attempt.saturating_sub(1);
        let other = self.retries.saturating_add(self.interruptions).saturating_add(self.crashes);
        repeated.saturating_sub(other)
    }

    /// When the task's time is over, if it has a deadline.
    #[must_use]
    pub fn over_at(&self) -> Option<Timestamp> {
        self.deadline.map(|deadline| self.created_at.saturating_add(deadline))
    }

    /// The task without its large and secret parts.
    #[must_use]
    pub fn summary(&self) -> TaskSummary {
        TaskSummary {
            id: self.id.clone(),
            seq: self.seq,
            status: self.status,
            worker_type: self.worker_type.clone(),
            project_id: self.project_id.clone(),
            request_id: self.request_id.clone(),
            engine_name: self.engine_name.clone(),
            cli: self.cli.clone(),
            error: self.error.clone(),
            failure: self.failure,
            attempt: self.attempt,
            retries: self.retries,
            epoch: self.epoch,
            instance: self.instance.clone(),
            pinned_to: self.pinned_to.clone(),
            cancel_requested_at: self.cancel_requested_at,
            progress: self.progress.clone(),
            created_at: self.created_at,
            run_at: self.run_at,
            dispatched_at: self.dispatched_at,
            started_at: self.started_at,
            completed_at: self.completed_at,
        }
    }
}

/// Shows what may be shown anywhere: no prompt, no result, no metadata, no origin, no values of
/// variables.
impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id)
            .field("seq", &self.seq)
            .field("status", &self.status)
            .field("worker_type", &self.worker_type)
            .field("project_id", &self.project_id)
            .field("engine_name", &self.engine_name)
            .field("env", &self.env)
            .field("attempt", &self.attempt)
            .field("epoch", &self.epoch)
            .field("error", &self.error)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// A task as lists show it: without prompt, result, environment and metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TaskSummary {
    /// Names the task.
    pub id: TaskId,
    /// A small number for people, unique within a database.
    pub seq: i64,
    /// Where the task stands.
    pub status: TaskStatus,
    /// The kind of work.
    pub worker_type: WorkerType,
    /// Whose work it is.
    pub project_id: String,
    /// The request that led to the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The engine that the task belongs to.
    pub engine_name: String,
    /// The command-line tool to use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cli: Option<String>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What went wrong, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureCode>,
    /// Attempts started so far.
    pub attempt: u32,
    /// Attempts that failed and were repeated.
    pub retries: u32,
    /// Grows with every claim.
    #[serde(skip)]
    pub epoch: u64,
    /// The instance that has the task in hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The only instance that may claim the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_to: Option<InstanceId>,
    /// When the task's end was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_requested_at: Option<Timestamp>,
    /// What the task reported last.
    #[serde(skip_serializing_if = "Progress::is_none")]
    pub progress: Progress,
    /// When the task was submitted.
    pub created_at: Timestamp,
    /// When the next attempt is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Timestamp>,
    /// When the task was first handed to an instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatched_at: Option<Timestamp>,
    /// When the latest attempt started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When the task ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
}

/// The parts of a task that its summary leaves out, as they are serialised.
#[derive(Serialize)]
struct Details<'a> {
    #[serde(flatten)]
    summary: TaskSummary,
    prompt: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwd: Option<&'a str>,
    #[serde(skip_serializing_if = "Env::is_empty")]
    env: &'a Env,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'a str>,
    /// In whole seconds, as the Go library has it; never rounded down to "none".
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_timeout_ms: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_ms: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_retries: Option<u32>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: &'a Metadata,
    #[serde(skip_serializing_if = "str::is_empty")]
    result: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    daemon_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    origin: &'a Metadata,
    interruptions: u32,
    crashes: u32,
}

impl Serialize for Task {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds = |timeout: Duration| timeout.as_secs() + u64::from(timeout.subsec_nanos() > 0);
        let details = Details {
            summary: self.summary(),
            prompt: &self.prompt,
            cwd: self.cwd.as_deref(),
            env: &self.env,
            role: self.role.as_deref(),
            model: self.model.as_deref(),
            effort: self.effort.as_deref(),
            timeout: self.timeout.map(seconds),
            timeout_ms: self.timeout.map(|time| time.as_millis()),
            idle_timeout_ms: self.idle_timeout.map(|time| time.as_millis()),
            deadline_ms: self.deadline.map(|time| time.as_millis()),
            max_retries: self.max_retries,
            metadata: &self.metadata,
            result: &self.result,
            daemon_id: self.daemon_id.as_deref(),
            origin: &self.origin,
            interruptions: self.interruptions,
            crashes: self.crashes,
        };
        details.serialize(serializer)
    }
}
