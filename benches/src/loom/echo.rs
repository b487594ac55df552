//! The worker that has nothing to do, and tasks for it.

use std::sync::{Arc, Mutex, PoisonError};

use kit::tally::Tally;
use kit::{Result, TEXT};
use loom::{Engine, Task, TaskContext, TaskId, TaskRequest, Worker, worker_fn};
use tokio::sync::Notify;

/// The type of its tasks.
pub const ECHO: &str = "echo";

/// Counts what the worker has done. A commit ends most tasks in the order in which their workers
/// returned, so whoever has waited for the last of them has hardly anything left to wait for.
pub struct Ends {
    pub tally: Tally,
    last: Mutex<Option<TaskId>>,
    /// Told once `last` is set.
    done: Notify,
}

impl Ends {
    pub fn new(wanted: usize) -> Arc<Self> {
        Arc::new(Self { tally: Tally::new(wanted), last: Mutex::default(), done: Notify::new() })
    }

    /// Waits until the worker has done all, and the last of it is durable.
    pub async fn wait(&self, engine: &Engine) -> Result {
        self.done.notified().await;
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        engine.wait(last.ok_or("the last task has no id")?).await?;
        Ok(())
    }
}

/// Returns the prompt at once.
pub fn worker(ends: &Arc<Ends>) -> impl Worker + use<> {
    let ends = Arc::clone(ends);
    worker_fn(move |_: TaskContext, task: Task| {
        if ends.tally.count() {
            *ends.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.id);
            ends.done.notify_one();
        }
        async move { Ok(task.prompt) }
    })
}

/// Submits one task.
pub async fn submit(engine: Engine) -> Result {
    engine.submit(TaskRequest::new(ECHO, TEXT)).await?;
    Ok(())
}
