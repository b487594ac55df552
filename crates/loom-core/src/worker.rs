//! Who does the work.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;

use crate::context::TaskContext;
use crate::failure::FailureCode;
use crate::gate::QualityGate;
use crate::ids::{Account, WorkerType};
use crate::task::{Metadata, Task};

/// What a worker has produced.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct WorkerResult {
    /// The output.
    pub content: String,
    /// Values to merge into the task's metadata; these win.
    pub metadata: Metadata,
}

/// Shows how much was produced, not what.
impl fmt::Debug for WorkerResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerResult")
            .field("content_bytes", &self.content.len())
            .finish_non_exhaustive()
    }
}

impl WorkerResult {
    /// A result of this content.
    pub fn new(content: impl Into<String>) -> Self {
        Self { content: content.into(), metadata: Metadata::new() }
    }

    /// Adds a value to merge into the task's metadata.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }
}

impl From<String> for WorkerResult {
    fn from(content: String) -> Self {
        Self::new(content)
    }
}

impl From<&str> for WorkerResult {
    fn from(content: &str) -> Self {
        Self::new(content)
    }
}

/// What may be done about a worker's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Trying again would not help.
    Permanent,
    /// Trying again may help.
    Transient,
    /// Trying again will help after this time, and not before.
    RetryAfter(Duration),
    /// The work was stopped because the attempt was told to stop.
    Cancelled,
    /// The work took too long. Trying again may help.
    Timeout,
}

/// How much of each text that an error comes with is judged.
const EVIDENCE_BYTES_MAX: usize = 4 << 10;

/// Why a worker could not do its work.
///
/// Any error becomes a permanent one through `?`. For that reason this type is not itself an
/// [`Error`](std::error::Error).
///
/// ```
/// use loom_core::{ErrorKind, WorkerError};
///
/// fn parse(text: &str) -> Result<u32, WorkerError> {
///     Ok(text.parse::<u32>()?)
/// }
/// assert_eq!(parse("many").unwrap_err().kind(), ErrorKind::Permanent);
/// ```
pub struct WorkerError {
    kind: ErrorKind,
    code: FailureCode,
    message: String,
    output: Option<WorkerResult>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl WorkerError {
    fn new(kind: ErrorKind, code: FailureCode, message: String) -> Self {
        Self { kind, code, message, output: None, source: None }
    }

    /// Trying again would not help.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Permanent, FailureCode::WorkerError, message.into())
    }

    /// Trying again may help.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Transient, FailureCode::WorkerError, message.into())
    }

    /// Trying again will help after `wait`, and not before.
    pub fn retry_after(wait: Duration, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::RetryAfter(wait), FailureCode::RateLimited, message.into())
    }

    /// The work was stopped because the attempt was told to stop.
    #[must_use]
    pub fn cancelled() -> Self {
        let message = "stopped as asked".to_owned();
        Self::new(ErrorKind::Cancelled, FailureCode::Interrupted, message)
    }

    /// The work took too long.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Timeout, FailureCode::Timeout, message.into())
    }

    /// Says more exactly what went wrong.
    #[must_use]
    pub fn with_code(mut self, code: FailureCode) -> Self {
        self.code = code;
        self
    }

    /// Keeps what was produced before it went wrong.
    #[must_use]
    pub fn with_output(mut self, output: WorkerResult) -> Self {
        self.output = Some(output);
        self
    }

    /// Says it in other words; the error that it was made of is dropped with the old ones.
    #[must_use]
    pub(crate) fn reworded(mut self, reword: impl FnOnce(&str) -> String) -> Self {
        self.message = reword(&self.message);
        self.source = None;
        self
    }

    /// What may be done about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What went wrong, for programs.
    #[must_use]
    pub const fn code(&self) -> FailureCode {
        self.code
    }

    /// What went wrong, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What was produced before it went wrong.
    #[must_use]
    pub const fn output(&self) -> Option<&WorkerResult> {
        self.output.as_ref()
    }

    /// All that was said of it, to be judged: the end of what was produced, then the message.
    #[must_use]
    pub fn evidence(&self) -> String {
        let end = |text: &str| {
            let start = text.len().saturating_sub(EVIDENCE_BYTES_MAX);
            text[text.ceil_char_boundary(start)..].trim().to_owned()
        };
        let output = self.output.iter();
        let said = output.flat_map(|output| {
            let more = output.metadata.values().filter_map(serde_json::Value::as_str);
            std::iter::once(output.content.as_str()).chain(more)
        });
        let said = said.chain([self.message()]).map(end).filter(|text| !text.is_empty());
        said.collect::<Vec<_>>().join("\n")
    }

    /// Takes what was produced before it went wrong.
    pub const fn take_output(&mut self) -> Option<WorkerResult> {
        self.output.take()
    }

    /// The error that this one was made of.
    #[must_use]
    pub fn source(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for WorkerError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Self { source: Some(Box::new(error)), ..Self::permanent(message) }
    }
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerError")
            .field("kind", &self.kind)
            .field("code", &self.code)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// What becomes of a task whose process died while it ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CrashPolicy {
    /// It ends as failed_crash: work that may have had effects is not repeated unasked.
    #[default]
    Fail,
    /// It is run again, within a bound. For work that may be repeated.
    Rerun,
}

/// Does the work of one worker type.
///
/// One worker makes many attempts at once. An attempt that is told to stop through its
/// [`cancellation`](TaskContext::cancellation) should return soon; it is dropped after a grace.
#[async_trait]
pub trait Worker: Send + Sync + 'static {
    /// Makes one attempt at `task`.
    ///
    /// # Errors
    /// A [`WorkerError`] says whether trying again may help, and keeps what was produced so far.
    async fn execute(&self, cx: &TaskContext, task: &Task) -> Result<WorkerResult, WorkerError>;

    /// The type that the worker is for, if it insists on one.
    fn worker_type(&self) -> Option<WorkerType> {
        None
    }

    /// How the worker's results are judged; `None`: as its engine judges.
    fn gate(&self) -> Option<QualityGate> {
        None
    }

    /// What becomes of a task whose process died while this worker was at it.
    fn crash_policy(&self) -> CrashPolicy {
        CrashPolicy::Fail
    }

    /// Who the tasks of the worker may be charged to. While a usage limit holds all of them back, none
    /// of its tasks is started. Asked once, when the worker is registered. Default: nobody.
    fn accounts(&self) -> Vec<Account> {
        Vec::new()
    }

    /// Which of [`accounts`](Self::accounts) `task` is charged to. Default: the only one there is.
    fn account(&self, task: &Task) -> Option<Account> {
        let _ = task;
        let [account] = <[Account; 1]>::try_from(self.accounts()).ok()?;
        Some(account)
    }

    /// Ends what a dead process left running for `task`. Called before the task is closed.
    ///
    /// # Errors
    /// The error is logged, and the task is closed all the same.
    async fn reap(&self, task: &Task) -> Result<(), WorkerError> {
        let _ = task;
        Ok(())
    }
}

struct FnWorker<F>(F);

#[async_trait]
impl<F, Fut, R> Worker for FnWorker<F>
where
    F: Fn(TaskContext, Task) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, WorkerError>> + Send + 'static,
    R: Into<WorkerResult>,
{
    async fn execute(&self, cx: &TaskContext, task: &Task) -> Result<WorkerResult, WorkerError> {
        (self.0)(cx.clone(), task.clone()).await.map(Into::into)
    }
}

/// Makes a worker of a function.
///
/// ```
/// use loom_core::{Task, Worker, worker_fn};
///
/// let greet = worker_fn(async |_, task: Task| Ok(format!("hello {}", task.prompt)));
///
/// // What the function needs, it captures, and clones for each call:
/// let greeting = String::from("good morning");
/// let polite = worker_fn(move |_, task: Task| {
///     let greeting = greeting.clone();
///     async move { Ok(format!("{greeting} {}", task.prompt)) }
/// });
/// # let _: [Box<dyn Worker>; 2] = [Box::new(greet), Box::new(polite)];
/// ```
pub fn worker_fn<F, Fut, R>(f: F) -> impl Worker
where
    F: Fn(TaskContext, Task) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, WorkerError>> + Send + 'static,
    R: Into<WorkerResult>,
{
    FnWorker(f)
}
