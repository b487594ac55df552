//! What a worker knows of the attempt it makes.

use std::fmt;
use std::sync::Arc;

use loom_deps::Timestamp;

use crate::cancellation::Cancellation;

/// Takes the lines that an attempt reports.
pub trait ProgressSink: Send + Sync + 'static {
    /// Takes one line. Must not block.
    fn report(&self, line: &str);
}

/// Drops what is reported.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl ProgressSink for NoProgress {
    fn report(&self, _line: &str) {}
}

/// What a worker knows of the attempt it makes. Cheap to clone.
///
/// ```
/// use loom_core::TaskContext;
///
/// let cx = TaskContext::new(); // as an engine makes it, or a test of a worker
/// cx.progress("half way");
/// assert!(!cx.cancellation().is_cancelled());
/// ```
#[derive(Clone)]
pub struct TaskContext {
    cancellation: Cancellation,
    attempt: u32,
    deadline: Option<Timestamp>,
    request_id: Option<Arc<str>>,
    trace_context: Option<Arc<str>>,
    progress: Arc<dyn ProgressSink>,
}

impl TaskContext {
    /// The context of a first attempt that nobody follows and that has all the time it likes.
    #[must_use]
    pub fn new() -> Self {
        Self {
            cancellation: Cancellation::new(),
            attempt: 1,
            deadline: None,
            request_id: None,
            trace_context: None,
            progress: Arc::new(NoProgress),
        }
    }

    /// Sets who tells the attempt to stop.
    #[must_use]
    pub fn with_cancellation(mut self, cancellation: Cancellation) -> Self {
        self.cancellation = cancellation;
        self
    }

    /// Sets the number of the attempt.
    #[must_use]
    pub fn with_attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// Sets when the attempt will be told to stop.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Option<Timestamp>) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the request that led to the task.
    #[must_use]
    pub fn with_request_id(mut self, request_id: Option<&str>) -> Self {
        self.request_id = request_id.map(Into::into);
        self
    }

    /// Sets the trace that the attempt belongs to.
    #[must_use]
    pub fn with_trace_context(mut self, trace_context: Option<&str>) -> Self {
        self.trace_context = trace_context.map(Into::into);
        self
    }

    /// Sets who takes the lines that the attempt reports.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<dyn ProgressSink>) -> Self {
        self.progress = progress;
        self
    }

    /// Tells when to stop, and why. A worker that can stop early should.
    #[must_use]
    pub const fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// The number of the attempt, counting from 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When the attempt will be told to stop, if it has a timeout.
    #[must_use]
    pub const fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// The request that led to the task.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The trace that the attempt belongs to, as a W3C `traceparent`, to be handed on to whatever
    /// the worker calls.
    #[must_use]
    pub fn trace_context(&self) -> Option<&str> {
        self.trace_context.as_deref()
    }

    /// Reports a line of progress. Returns at once; lines that come faster than they can be kept
    /// are counted, and the last one is kept.
    pub fn progress(&self, line: &str) {
        self.progress.report(line);
    }
}

impl Default for TaskContext {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TaskContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskContext")
            .field("cancellation", &self.cancellation)
            .field("attempt", &self.attempt)
            .field("deadline", &self.deadline)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}
