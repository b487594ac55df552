//! A worker that asks its test what to do.

use std::fmt;

use async_trait::async_trait;
use loom_core::{
    CancelReason, CrashPolicy, QualityGate, Task, TaskContext, Worker, WorkerError, WorkerResult,
    limits,
};
use tokio::sync::{mpsc, oneshot};

/// A worker that hands each attempt to its [`Script`], and the script itself.
///
/// ```
/// use loom_core::{NewTask, Task, TaskContext, TaskId, TaskRequest, Worker, WorkerError};
/// use loom_deps::Timestamp;
/// use loom_testkit::scripted;
///
/// # let new = NewTask {
/// #     id: TaskId::new("id-0").unwrap(),
/// #     engine_name: "default".into(),
/// #     request: TaskRequest::new("greet", "world"),
/// #     created_at: Timestamp::from_micros(0),
/// #     pinned_to: None,
/// #     daemon_id: None,
/// # };
/// # let task = new.into_task(1);
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (worker, mut script) = scripted();
/// // Here an engine would have the worker. The test takes its attempts as they come:
/// let attempt = tokio::spawn(async move { worker.execute(&TaskContext::new(), &task).await });
/// let handle = script.next().await;
/// assert_eq!(handle.task.prompt, "world");
/// handle.finish(Ok("hello world".into()));
/// assert_eq!(attempt.await.unwrap().unwrap().content, "hello world");
/// # });
/// ```
#[must_use]
pub fn scripted() -> (ScriptedWorker, Script) {
    let (sender, receiver) = mpsc::channel(limits::RUNNING_MAX);
    let worker =
        ScriptedWorker { attempts: sender, crash_policy: CrashPolicy::default(), gate: None };
    (worker, Script(receiver))
}

/// A worker that hands each attempt to its [`Script`] and does as it is told. Made by [`scripted`].
///
/// It takes no notice of a cancellation by itself: the script decides.
#[derive(Clone, Debug)]
pub struct ScriptedWorker {
    attempts: mpsc::Sender<AttemptHandle>,
    crash_policy: CrashPolicy,
    gate: Option<QualityGate>,
}

impl ScriptedWorker {
    /// Sets what becomes of its tasks when their process dies.
    #[must_use]
    pub const fn with_crash_policy(mut self, crash_policy: CrashPolicy) -> Self {
        self.crash_policy = crash_policy;
        self
    }

    /// Sets how its results are judged.
    #[must_use]
    pub fn with_gate(mut self, gate: QualityGate) -> Self {
        self.gate = Some(gate);
        self
    }
}

#[async_trait]
impl Worker for ScriptedWorker {
    async fn execute(&self, cx: &TaskContext, task: &Task) -> Result<WorkerResult, WorkerError> {
        let (reply, told) = oneshot::channel();
        let attempt = AttemptHandle { task: task.clone(), cx: cx.clone(), reply };
        let unscripted = || WorkerError::permanent("the script of this worker has ended");
        self.attempts.send(attempt).await.map_err(|_| unscripted())?;
        match told.await {
            Ok(Reply::Finish(outcome)) => outcome,
            #[expect(clippy::panic, reason = "the script asks for a worker that panics")]
            Ok(Reply::Panic(text)) => panic!("{text}"),
            Err(_) => Err(unscripted()),
        }
    }

    fn gate(&self) -> Option<QualityGate> {
        self.gate.clone()
    }

    fn crash_policy(&self) -> CrashPolicy {
        self.crash_policy
    }
}

/// The attempts of a [`ScriptedWorker`], in the order in which they started. When it is dropped,
/// attempts fail.
#[derive(Debug)]
pub struct Script(mpsc::Receiver<AttemptHandle>);

impl Script {
    /// Returns with the next attempt when it starts. Cancel safe.
    ///
    /// # Panics
    /// If every clone of the worker is gone, so that no attempt can start any more.
    pub async fn next(&mut self) -> AttemptHandle {
        #[expect(clippy::panic, reason = "a test that waits for an attempt in vain has failed")]
        match self.0.recv().await {
            Some(attempt) => attempt,
            None => panic!("the scripted worker is gone; no attempt will start"),
        }
    }

    /// The next attempt, if it has started already.
    pub fn started(&mut self) -> Option<AttemptHandle> {
        self.0.try_recv().ok()
    }
}

enum Reply {
    Finish(Result<WorkerResult, WorkerError>),
    Panic(String),
}

/// An attempt that lasts until its test says how it ends. When it is dropped, the attempt fails.
pub struct AttemptHandle {
    /// The task.
    pub task: Task,
    /// What the worker was given: reports progress, tells of cancellation.
    pub cx: TaskContext,
    reply: oneshot::Sender<Reply>,
}

impl AttemptHandle {
    /// Ends the attempt with what the worker returns.
    pub fn finish(self, outcome: Result<WorkerResult, WorkerError>) {
        // An engine that has dropped the attempt does not hear it.
        let _ = self.reply.send(Reply::Finish(outcome));
    }

    /// Ends the attempt with a panic of the worker.
    pub fn panic(self, text: impl Into<String>) {
        // An engine that has dropped the attempt does not hear it.
        let _ = self.reply.send(Reply::Panic(text.into()));
    }

    /// Returns when the attempt is told to stop, with the reason. Cancel safe.
    pub async fn cancelled(&self) -> Option<CancelReason> {
        let cancellation = self.cx.cancellation();
        cancellation.cancelled().await;
        cancellation.reason()
    }

    /// Returns when the engine has dropped the attempt without waiting for its end. Cancel safe.
    pub async fn dropped(&mut self) {
        self.reply.closed().await;
    }
}

impl fmt::Debug for AttemptHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptHandle")
            .field("task", &self.task)
            .field("cx", &self.cx)
            .finish_non_exhaustive()
    }
}
