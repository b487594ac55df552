//! A worker of your own: it reports progress, stops when it is told to, and says which of its
//! errors may pass, so that the engine tries again.
//!
//! Prints:
//! ```text
//! task 1: completed after 2 attempts: counted 3 sheep
//! last progress: sheep 3
//! task 2: cancelled
//! ```

use async_trait::async_trait;
use loom::{
    Engine, RetryPolicy, SqliteStore, Task, TaskContext, TaskRequest, Worker, WorkerError,
    WorkerResult,
};
use std::time::Duration;

struct Shepherd;

#[async_trait]
impl Worker for Shepherd {
    async fn execute(&self, cx: &TaskContext, task: &Task) -> Result<WorkerResult, WorkerError> {
        if task.prompt == "for ever" {
            cx.cancellation().cancelled().await;
            return Err(WorkerError::cancelled());
        }
        if cx.attempt() == 1 {
            return Err(WorkerError::transient("the gate is still shut"));
        }
        let sheep: u32 = task.prompt.parse()?; // any error ends the task, with its text
        for number in 1..=sheep {
            cx.progress(&format!("sheep {number}"));
        }
        Ok(WorkerResult::new(format!("counted {sheep} sheep")).with("sheep", sheep))
    }
}

#[tokio::main]
async fn main() -> loom::Result<()> {
    let soon = RetryPolicy { base: Duration::from_millis(10), ..RetryPolicy::default() };
    let engine = Engine::builder("farm", SqliteStore::open("tasks.db"))
        .worker("count", Shepherd)
        .retry_policy(soon)
        .start()
        .await?;

    let counting = engine.submit(TaskRequest::new("count", "3")).await?;
    let task = engine.wait(counting.id).await?;
    println!("task {}: {} after {} attempts: {}", task.seq, task.status, task.attempt, task.result);
    println!("last progress: {}", task.progress.line);

    let endless = engine.submit(TaskRequest::new("count", "for ever")).await?;
    let task = engine.cancel_and_wait(endless.id).await?;
    println!("task {}: {}", task.seq, task.status);
    engine.close().await
}
