//! Counting what a worker is asked to do.

use async_trait::async_trait;
use loom_core::{
    Account, CrashPolicy, QualityGate, Task, TaskContext, Worker, WorkerError, WorkerResult,
    WorkerType,
};
use tokio::sync::watch;

/// A worker that passes everything on to another and counts it.
///
/// ```
/// use loom_core::{Task, worker_fn};
/// use loom_testkit::CountingWorker;
///
/// let greet = worker_fn(async |_, task: Task| Ok(format!("hello {}", task.prompt)));
/// let (worker, counts) = CountingWorker::new(greet);
/// assert_eq!(counts.started(), 0);
/// # let _: Box<dyn loom_core::Worker> = Box::new(worker);
/// ```
#[derive(Debug)]
pub struct CountingWorker<W> {
    inner: W,
    counts: Counts,
}

impl<W: Worker> CountingWorker<W> {
    /// Counts what `inner` does.
    #[must_use]
    pub fn new(inner: W) -> (Self, Counts) {
        let counts = Counts::default();
        let worker = Self { inner, counts: counts.clone() };
        (worker, counts)
    }
}

/// How much a [`CountingWorker`] has done. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct Counts(watch::Sender<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    started: u64,
    running: u64,
    most: u64,
    reaped: u64,
}

impl Counts {
    /// Attempts that have started.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.0.borrow().started
    }

    /// Attempts that have started and not ended, by return, by panic or by being dropped.
    #[must_use]
    pub fn running(&self) -> u64 {
        self.0.borrow().running
    }

    /// The most attempts that ran at once.
    #[must_use]
    pub fn most_at_once(&self) -> u64 {
        self.0.borrow().most
    }

    /// Tasks of dead owners that were reaped.
    #[must_use]
    pub fn reaped(&self) -> u64 {
        self.0.borrow().reaped
    }

    /// Returns when `count` attempts have started in all. Cancel safe.
    pub async fn reached(&self, count: u64) {
        self.until(|numbers| numbers.started >= count).await;
    }

    /// Returns when no attempt runs. Cancel safe.
    pub async fn idle(&self) {
        self.until(|numbers| numbers.running == 0).await;
    }

    async fn until(&self, condition: impl FnMut(&Numbers) -> bool) {
        // The sender that could go away is the one borrowed here.
        let _ = self.0.subscribe().wait_for(condition).await;
    }

    fn start(&self) -> Running<'_> {
        self.0.send_modify(|numbers| {
            numbers.started += 1;
            numbers.running += 1;
            numbers.most = numbers.most.max(numbers.running);
        });
        Running(self)
    }
}

/// Counts an attempt as running until it is dropped.
struct Running<'a>(&'a Counts);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|numbers| numbers.running -= 1);
    }
}

#[async_trait]
impl<W: Worker> Worker for CountingWorker<W> {
    async fn execute(&self, cx: &TaskContext, task: &Task) -> Result<WorkerResult, WorkerError> {
        let _running = self.counts.start();
        self.inner.execute(cx, task).await
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
        self.counts.0.send_modify(|numbers| numbers.reaped += 1);
        self.inner.reap(task).await
    }
}
