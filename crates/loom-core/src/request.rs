//! What a caller asks for.

use std::fmt;
use std::time::Duration;

use loom_deps::Timestamp;
use serde::Serialize;

use crate::env::{Env, EnvValue};
use crate::error::InvalidRequest;
use crate::ids::{InstanceId, TaskId, WorkerType};
use crate::limits;
use crate::status::TaskStatus;
use crate::task::{Metadata, Progress, Task};

/// A task to be, made of a worker type and a prompt; the rest is optional.
///
/// ```
/// use std::time::Duration;
/// use loom_core::TaskRequest;
///
/// let request = TaskRequest::new("cli", "fix the failing tests")
///     .project("website")
///     .cwd("/srv/website")
///     .env("LANG", "C")
///     .timeout(Duration::from_secs(1800));
/// assert!(request.check().is_ok());
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct TaskRequest {
    /// The kind of work.
    pub worker_type: WorkerType,
    /// What to do.
    pub prompt: String,
    /// Whose work it is.
    pub project_id: String,
    /// The request that led to the task.
    pub request_id: Option<String>,
    /// The directory to work in.
    pub cwd: Option<String>,
    /// Variables to add to the command's environment.
    pub env: Env,
    /// The command-line tool to use.
    pub cli: Option<String>,
    /// The role that the tool should take.
    pub role: Option<String>,
    /// The model that the tool should use.
    pub model: Option<String>,
    /// How hard the tool should try.
    pub effort: Option<String>,
    /// How long each attempt may take.
    pub timeout: Option<Duration>,
    /// How long an attempt may go without a sign of life.
    pub idle_timeout: Option<Duration>,
    /// How long the task may take from its submission on, waits and all attempts together.
    pub deadline: Option<Duration>,
    /// Retries after the first attempt, in place of the engine's number.
    pub max_retries: Option<u32>,
    /// Values to keep beside the task.
    pub metadata: Metadata,
    /// Not before this moment.
    pub run_at: Option<Timestamp>,
    /// Not before so much time has passed since the submission.
    pub delay: Option<Duration>,
    /// The trace that the task belongs to, as a W3C `traceparent`. Set by the engine unless given.
    pub trace_context: Option<String>,
}

impl TaskRequest {
    /// Asks for work of the kind `worker_type` on `prompt`.
    pub fn new(worker_type: impl Into<WorkerType>, prompt: impl Into<String>) -> Self {
        Self { worker_type: worker_type.into(), prompt: prompt.into(), ..Self::default() }
    }

    /// Says whose work it is.
    #[must_use]
    pub fn project(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = project_id.into();
        self
    }

    /// Names the request that led to the task.
    #[must_use]
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }

    /// Sets the directory to work in.
    #[must_use]
    pub fn cwd(mut self, cwd: impl Into<String>) -> Self {
        self.cwd = Some(cwd.into());
        self
    }

    /// Adds a variable to the command's environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<EnvValue>) -> Self {
        self.env.insert(name, value);
        self
    }

    /// Names the command-line tool to use.
    #[must_use]
    pub fn cli(mut self, cli: impl Into<String>) -> Self {
        self.cli = Some(cli.into());
        self
    }

    /// Names the role that the tool should take.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Names the model that the tool should use.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Says how hard the tool should try.
    #[must_use]
    pub fn effort(mut self, effort: impl Into<String>) -> Self {
        self.effort = Some(effort.into());
        self
    }

    /// Limits each attempt's time.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Limits the time that an attempt may go without reporting progress. Output of a command counts
    /// as progress.
    #[must_use]
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = Some(idle_timeout);
        self
    }

    /// Limits the task's time from its submission on, waits and all attempts together.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets the number of retries after the first attempt.
    #[must_use]
    pub fn max_retries(mut self, max_retries: u32) -> Self {
        self.max_retries = Some(max_retries);
        self
    }

    /// Adds a value to keep beside the task.
    #[must_use]
    pub fn metadata(
        mut self,
        name: impl Into<String>,
        value: impl Into<serde_json::Value>,
    ) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Puts the first attempt off until `run_at`.
    #[must_use]
    pub fn run_at(mut self, run_at: Timestamp) -> Self {
        self.run_at = Some(run_at);
        self
    }

    /// Puts the first attempt off by `delay` from the submission on. With a [`run_at`](Self::run_at)
    /// beside it, the later of the two counts.
    ///
    /// ```
    /// use std::time::Duration;
    /// use loom_core::TaskRequest;
    ///
    /// let tomorrow = TaskRequest::new("report", "sales").delay(Duration::from_secs(24 * 3600));
    /// assert!(tomorrow.check().is_ok());
    /// ```
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Whether the request can be taken.
    ///
    /// # Errors
    /// [`InvalidRequest`] names the field, what is wrong with it and its limit.
    pub fn check(&self) -> Result<(), InvalidRequest> {
        self.worker_type.check().map_err(|e| InvalidRequest::new("worker_type", e.to_string()))?;
        bounded("prompt", &self.prompt, limits::PROMPT_BYTES_MAX)?;
        name("project_id", Some(&self.project_id))?;
        name("request_id", self.request_id.as_ref())?;
        name("cli", self.cli.as_ref())?;
        name("role", self.role.as_ref())?;
        name("model", self.model.as_ref())?;
        name("effort", self.effort.as_ref())?;
        name("trace_context", self.trace_context.as_ref())?;
        if let Some(cwd) = &self.cwd {
            bounded("cwd", cwd, limits::CWD_BYTES_MAX)?;
            without_nul("cwd", cwd)?;
        }
        self.check_env()?;
        self.check_numbers()?;
        let metadata = serde_json::to_string(&self.metadata).unwrap_or_default();
        bounded("metadata", &metadata, limits::METADATA_BYTES_MAX)
    }

    fn check_env(&self) -> Result<(), InvalidRequest> {
        let mut bytes = 0;
        for (variable, value) in self.env.iter() {
            let (EnvValue::Literal(text) | EnvValue::FromHost(text)) = value;
            if variable.is_empty() || variable.contains('=') {
                let what = format!("{variable:?} is no name for a variable");
                return Err(InvalidRequest::new("env", what));
            }
            without_nul("env", variable)?;
            without_nul("env", text)?;
            bytes += variable.len() + text.len();
        }
        if bytes > limits::ENV_BYTES_MAX {
            return Err(too_long("env", bytes, limits::ENV_BYTES_MAX));
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), InvalidRequest> {
        let times = [
            ("timeout", self.timeout),
            ("idle_timeout", self.idle_timeout),
            ("deadline", self.deadline),
        ];
        for (field, time) in times {
            if time.is_some_and(|time| time.is_zero()) {
                let what = "zero leaves no time to run; leave it out for no limit";
                return Err(InvalidRequest::new(field, what));
            }
        }
        if self.max_retries.is_some_and(|retries| retries > limits::RETRIES_MAX) {
            let what = format!("at most {} retries are possible", limits::RETRIES_MAX);
            return Err(InvalidRequest::new("max_retries", what));
        }
        Ok(())
    }
}

fn too_long(field: &'static str, bytes: usize, max: usize) -> InvalidRequest {
    InvalidRequest::new(field, format!("{bytes} bytes are more than the limit of {max}"))
}

fn bounded(field: &'static str, text: &str, max: usize) -> Result<(), InvalidRequest> {
    if text.len() > max { Err(too_long(field, text.len(), max)) } else { Ok(()) }
}

fn without_nul(field: &'static str, text: &str) -> Result<(), InvalidRequest> {
    if text.contains('\0') {
        return Err(InvalidRequest::new(field, "holds a NUL byte, which no command can take"));
    }
    Ok(())
}

fn name(field: &'static str, text: Option<&String>) -> Result<(), InvalidRequest> {
    let Some(text) = text else { return Ok(()) };
    bounded(field, text, limits::NAME_BYTES_MAX)?;
    without_nul(field, text)
}

/// Shows what may be shown anywhere: no prompt, no metadata, no values of variables.
impl fmt::Debug for TaskRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskRequest")
            .field("worker_type", &self.worker_type)
            .field("project_id", &self.project_id)
            .field("request_id", &self.request_id)
            .field("cwd", &self.cwd)
            .field("env", &self.env)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A checked request, with what the engine adds to it: ready to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTask {
    /// Names the task.
    pub id: TaskId,
    /// The engine that the task belongs to.
    pub engine_name: String,
    /// What is asked for.
    pub request: TaskRequest,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// The only instance that may claim the task, if it is not for all of its engine's.
    pub pinned_to: Option<InstanceId>,
    /// Who submitted it: the identity that the program gives itself, if it gives itself one.
    pub daemon_id: Option<String>,
}

impl NewTask {
    /// When the first attempt is due.
    #[must_use]
    pub fn due_at(&self) -> Timestamp {
        let delay = self.request.delay.unwrap_or_default();
        let delayed = self.created_at.saturating_add(delay);
        self.request.run_at.map_or(delayed, |at| at.max(delayed))
    }

    /// The pending task that this becomes under the number `seq`.
    #[must_use]
    pub fn into_task(self, seq: i64) -> Task {
        let run_at = Some(self.due_at());
        let request = self.request;
        Task {
            id: self.id,
            seq,
            status: TaskStatus::Pending,
            worker_type: request.worker_type,
            project_id: request.project_id,
            request_id: request.request_id,
            engine_name: self.engine_name,
            prompt: request.prompt,
            cwd: request.cwd,
            env: request.env,
            cli: request.cli,
            role: request.role,
            model: request.model,
            effort: request.effort,
            timeout: request.timeout,
            idle_timeout: request.idle_timeout,
            deadline: request.deadline,
            trace_context: request.trace_context,
            max_retries: request.max_retries,
            metadata: request.metadata,
            result: String::new(),
            error: None,
            failure: None,
            attempt: 0,
            retries: 0,
            interruptions: 0,
            crashes: 0,
            epoch: 0,
            instance: None,
            pinned_to: self.pinned_to,
            daemon_id: self.daemon_id,
            origin: Metadata::new(),
            cancel_requested_at: None,
            progress: Progress::default(),
            created_at: self.created_at,
            run_at,
            dispatched_at: None,
            started_at: None,
            completed_at: None,
        }
    }
}

/// The receipt for a task that is durable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Submitted {
    /// Names the task.
    pub id: TaskId,
    /// A small number for people.
    pub seq: i64,
    /// Whether the task was there already and nothing was added.
    pub duplicate: bool,
}

impl Submitted {
    /// The receipt for task `id`.
    #[must_use]
    pub fn new(id: TaskId, seq: i64, duplicate: bool) -> Self {
        Self { id, seq, duplicate }
    }
}
