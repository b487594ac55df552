//! The worker that tells what another one prints, line by line.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use loom_core::{
    Account, CrashPolicy, ProgressSink, QualityGate, Task, TaskContext, Worker, WorkerError,
    WorkerResult, WorkerType,
};
use loom_deps::{Level, LogRecord, Logger, TracingLogger};

use crate::lines::Lines;

type OnLine = dyn Fn(&Task, &str) + Send + Sync;

/// Wraps a worker, and hands each line of it to a callback, as it comes.
///
/// The lines are those that the worker reports as progress while it runs, as
/// [`SubprocessBase`](crate::SubprocessBase) does with all that its command prints; they go on to
/// the task's progress. A worker that has reported nothing when it returns has the lines of its
/// output delivered then, to both. The result is the worker's, unchanged; so is everything else.
///
/// The callback is called where the work is done: it must not block. If it panics, that is logged
/// and harms nothing, and it is called again with the next line.
///
/// ```
/// use loom_core::{Task, TaskContext, Worker, worker_fn};
/// # use loom_core::{NewTask, TaskId, TaskRequest};
/// # use loom_deps::Timestamp;
/// use loom_workers::StreamingBase;
/// use std::sync::mpsc;
///
/// # let new = NewTask {
/// #     id: TaskId::new("id-0").unwrap(),
/// #     engine_name: "default".into(),
/// #     request: TaskRequest::new("tea", ""),
/// #     created_at: Timestamp::from_micros(0),
/// #     pinned_to: None,
/// #     daemon_id: None,
/// # };
/// # let task = new.into_task(1);
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (sender, lines) = mpsc::sync_channel(16);
/// let tea = worker_fn(async |cx: TaskContext, _| {
///     cx.progress("water");
///     cx.progress("leaves");
///     Ok("tea")
/// });
/// let tea = StreamingBase::new(tea).on_line(move |_: &Task, line: &str| {
///     let _ = sender.try_send(line.to_owned());
/// });
/// assert_eq!(tea.execute(&TaskContext::new(), &task).await.unwrap().content, "tea");
/// assert_eq!(lines.try_iter().collect::<Vec<_>>(), ["water", "leaves"]);
/// # });
/// ```
pub struct StreamingBase {
    inner: Box<dyn Worker>,
    on_line: Option<Arc<OnLine>>,
    logger: Arc<dyn Logger>,
}

impl StreamingBase {
    /// Tells what `inner` prints, so far to nobody but the task's progress.
    pub fn new(inner: impl Worker) -> Self {
        Self { inner: Box::new(inner), on_line: None, logger: Arc::new(TracingLogger) }
    }

    /// Sets who gets each line, without its end, and the task that it is of. Default: nobody.
    #[must_use]
    pub fn on_line(mut self, callback: impl Fn(&Task, &str) + Send + Sync + 'static) -> Self {
        self.on_line = Some(Arc::new(callback));
        self
    }

    /// Sets where panics are logged. Default: [`TracingLogger`].
    #[must_use]
    pub fn logger(mut self, logger: Arc<dyn Logger>) -> Self {
        self.logger = logger;
        self
    }
}

#[async_trait]
impl Worker for StreamingBase {
    async fn execute(&self, cx: &TaskContext, task: &Task) -> Result<WorkerResult, WorkerError> {
        let feed = Arc::new(Feed {
            task: task.clone(),
            cx: cx.clone(),
            on_line: self.on_line.clone(),
            logger: Arc::clone(&self.logger),
            has_reported: AtomicBool::new(false),
        });
        let inner = cx.clone().with_progress(Arc::clone(&feed) as Arc<dyn ProgressSink>);
        let end = self.inner.execute(&inner, task).await;
        let output = match &end {
            Ok(result) => Some(result),
            Err(error) => error.output(),
        };
        if let Some(output) = output {
            feed.catch_up(output);
        }
        end
    }

    fn worker_type(&self) -> Option<WorkerType> {
        self.inner.worker_type()
    }

    fn gate(&self) -> Option<QualityGate> {
        self.inner.gate()
    }

    fn crash_policy(&self) -> CrashPolicy {
        self.inner.crash_policy()
    }

    fn accounts(&self) -> Vec<Account> {
        self.inner.accounts()
    }

    fn account(&self, task: &Task) -> Option<Account> {
        self.inner.account(task)
    }

    async fn reap(&self, task: &Task) -> Result<(), WorkerError> {
        self.inner.reap(task).await
    }
}

impl fmt::Debug for StreamingBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamingBase")
            .field("has_callback", &self.on_line.is_some())
            .finish_non_exhaustive()
    }
}

/// Hands the lines of one attempt on.
struct Feed {
    task: Task,
    cx: TaskContext,
    on_line: Option<Arc<OnLine>>,
    logger: Arc<dyn Logger>,
    has_reported: AtomicBool,
}

impl Feed {
    /// Delivers the lines of an output that nothing was said of while it was made.
    fn catch_up(&self, output: &WorkerResult) {
        if self.has_reported.load(Ordering::Relaxed) {
            return;
        }
        let mut lines = Lines::new();
        lines.push(output.content.as_bytes(), |line| self.deliver(line));
        lines.finish(|line| self.deliver(line));
    }

    fn deliver(&self, line: &str) {
        if let Some(on_line) = &self.on_line {
            self.guarded("the callback for lines panicked", || on_line(&self.task, line));
        }
        self.guarded("the task's progress panicked", || self.cx.progress(line));
    }

    /// What a panic says may repeat the line, so it is not logged.
    fn guarded(&self, message: &'static str, deliver: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(deliver)) {
            drop_quietly(panic);
            let record = LogRecord::new(Level::Error, message).with("module", "streaming");
            let record = record.with("task_id", self.task.id.to_string());
            self.logger.log(record.with("worker_type", self.task.worker_type.to_string()));
        }
    }
}

impl ProgressSink for Feed {
    fn report(&self, line: &str) {
        self.has_reported.store(true, Ordering::Relaxed);
        self.deliver(line);
    }

    fn wants_each(&self) -> bool {
        self.on_line.is_some() || self.cx.progress_sink().wants_each()
    }

    fn report_many(&self, count: u64, latest: &str) {
        self.has_reported.store(true, Ordering::Relaxed);
        let progress = || self.cx.progress_sink().report_many(count, latest);
        self.guarded("the task's progress panicked", progress);
    }
}

/// The payload of a panic can panic itself when it is dropped.
fn drop_quietly(panic: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        #[expect(clippy::mem_forget, reason = "dropping it has just been shown to panic")]
        std::mem::forget(again);
    }
}
