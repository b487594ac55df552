//! The smallest program: a function becomes a worker, a task becomes durable, its result is waited
//! for.
//!
//! Prints:
//! ```text
//! hello world
//! ```

use loom::{Task, TaskRequest, worker_fn};

#[tokio::main]
async fn main() -> loom::Result<()> {
    let engine = loom::open("tasks.db").await?; // creates, migrates, recovers
    engine
        .register("greet", worker_fn(async |_, task: Task| Ok(format!("hello {}", task.prompt))))?;
    let task = engine.submit(TaskRequest::new("greet", "world")).await?; // durable from here on
    println!("{}", engine.wait(task.id).await?.result); // hello world
    engine.close().await
}
