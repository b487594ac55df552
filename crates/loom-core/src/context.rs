//! What a worker knows of the attempt it makes.

use std::fmt;
use std::sync::Arc;

use loom_deps::Timestamp;

use crate::cancellation::Cancellation;
use crate::error::{Error, InvalidRequest};
use crate::ids::TaskId;
use crate::output::{NoOutput, OutputTaker, Stream};
use crate::task::Task;
use crate::wait::{TaskWaiter, WaitError};

/// Takes the lines that an attempt reports.
pub trait ProgressSink: Send + Sync + 'static {
    /// Takes one line. Must not block.
    fn report(&self, line: &str);

    /// Whether each line is wanted. A sink that keeps only the latest can say no: where many come
    /// at once it is then told how many, and given the last of them. Default: yes.
    fn wants_each(&self) -> bool {
        true
    }

    /// Takes `count` lines at once, of which `latest` holds the last ones, each with `\n` at its
    /// end. Must not block. Called only if not each line is wanted.
    fn report_many(&self, count: u64, latest: &str) {
        let _ = count;
        for line in latest.lines() {
            self.report(line);
        }
    }
}

/// Drops what is reported.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl ProgressSink for NoProgress {
    fn report(&self, _line: &str) {}

    fn wants_each(&self) -> bool {
        false
    }

    fn report_many(&self, _count: u64, _latest: &str) {}
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
    output: Arc<dyn OutputTaker>,
    waiter: Option<Arc<dyn TaskWaiter>>,
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
            output: Arc::new(NoOutput),
            waiter: None,
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

    /// Sets who keeps what the attempt prints. Default: nobody.
    #[must_use]
    pub fn with_output(mut self, output: Arc<dyn OutputTaker>) -> Self {
        self.output = output;
        self
    }

    /// Sets who waits for other tasks on behalf of the attempt. Default: nobody.
    #[must_use]
    pub fn with_waiter(mut self, waiter: Arc<dyn TaskWaiter>) -> Self {
        self.waiter = Some(waiter);
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

    /// Who takes what the attempt reports, for workers that report many lines at once.
    #[must_use]
    pub fn progress_sink(&self) -> &dyn ProgressSink {
        &*self.progress
    }

    /// Prints: keeps bytes as output of the task, as they come, so that it can be followed while it
    /// runs and is still there after a crash. They count as a sign of life. They are no part of the
    /// result. Workers that run commands do this by themselves.
    ///
    /// Returns when the bytes are taken, which may take as long as a slow disk does. Beyond the
    /// task's cap, or where output cannot be kept, they are counted and dropped; an attempt never
    /// fails for it.
    ///
    /// Cancel safe: of bytes whose call was dropped, some may be missing.
    ///
    /// ```
    /// # async fn work(cx: loom_core::TaskContext) {
    /// use loom_core::Stream;
    ///
    /// cx.print(Stream::Stdout, "1 of 3 done\n").await;
    /// # }
    /// ```
    pub async fn print(&self, stream: Stream, bytes: impl AsRef<[u8]>) {
        self.output.take(stream, bytes.as_ref()).await;
    }

    /// Waits for the end of another task, wherever it runs, and returns it as it then is. Meanwhile
    /// the attempt gives its slot back, so that a task may wait for those that it has submitted
    /// even if only one may run at a time.
    ///
    /// Before it returns it takes a slot again, and waits for its turn to do so: behind those that
    /// have waited for longer, before any task that has still to start. Timeout and deadline of the
    /// attempt go on counting. For the idle timeout, waiting is a sign of life.
    ///
    /// Use [`wait_all`](Self::wait_all) for several tasks. An attempt that waits in several places
    /// at once has no slot until the last of these waits is over.
    ///
    /// Cancel safe: a wait that is dropped gives nothing up but the waiting. The attempt then has
    /// its slot at once, for it works already, even if that is one too many for a while.
    ///
    /// # Errors
    /// [`WaitError::Stopped`] as soon as the attempt is told to stop, [`WaitError::Itself`],
    /// [`WaitError::NoEngine`] for a context that has no waiter; [`WaitError::Engine`] with
    /// [`Error::NotFound`] for an unknown id, [`Error::Invalid`] for what cannot be an id,
    /// [`Error::Store`] if the store cannot be read. None of these harms the task waited for. How
    /// the task ended is no error: look at its status.
    pub async fn wait(&self, task: impl AsRef<str>) -> Result<Task, WaitError> {
        let id = parse(task.as_ref())?;
        let mut ended = self.waiter()?.wait(std::slice::from_ref(&id)).await?;
        ended.pop().ok_or(WaitError::Engine(Error::NotFound(id)))
    }

    /// Waits for the end of all these tasks, as [`wait`](Self::wait) does for one, and returns them
    /// in the order asked for. The slot is taken again once, after the last end.
    ///
    /// # Errors
    /// As [`wait`](Self::wait), with the first that comes up.
    pub async fn wait_all(
        &self,
        tasks: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Vec<Task>, WaitError> {
        let ids = tasks.into_iter().map(|task| parse(task.as_ref()));
        let ids: Vec<TaskId> = ids.collect::<Result<_, _>>()?;
        self.waiter()?.wait(&ids).await
    }

    fn waiter(&self) -> Result<&dyn TaskWaiter, WaitError> {
        self.waiter.as_deref().ok_or(WaitError::NoEngine)
    }
}

/// An id that cannot be one names no task; but it cannot be repeated in an error either.
fn parse(id: &str) -> Result<TaskId, Error> {
    TaskId::new(id).map_err(|error| InvalidRequest::new("id", error.to_string()).into())
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
