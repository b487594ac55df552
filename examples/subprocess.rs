//! Commands as tasks: each runs as a real process in a group of its own, and what it printed is
//! kept, also when it fails.
//!
//! Prints:
//! ```text
//! greet: completed, printed "hello from a process"
//! break: failed (exit_status), printed "half of it", exit code 3
//! ```

use std::time::Duration;

use loom::workers::Command;
use loom::{SubprocessBase, Task, TaskRequest, WorkerError};

/// Decides what to run for a task. There is no shell unless you name one.
fn resolve(task: &Task) -> Result<Command, WorkerError> {
    match task.prompt.as_str() {
        "greet" => Ok(Command::new("echo").arg("hello from a process")),
        "break" => Ok(Command::new("sh").args(["-c", "echo half of it; exit 3"])),
        other => Err(WorkerError::permanent(format!("no command for {other:?}"))),
    }
}

#[tokio::main]
async fn main() -> loom::Result<()> {
    let engine = loom::open("tasks.db").await?;
    engine.register("command", SubprocessBase::new(resolve))?;

    let request = |prompt| TaskRequest::new("command", prompt).timeout(Duration::from_secs(60));
    let greet = engine.submit(request("greet")).await?;
    let broken = engine.submit(request("break")).await?;

    let task = engine.wait(greet.id).await?;
    println!("greet: {}, printed {:?}", task.status, task.result.trim_end());

    let task = engine.wait(broken.id).await?;
    let code = task.failure.map_or("", |code| code.as_str());
    let (printed, exit) = (task.result.trim_end(), &task.metadata["exit_code"]);
    println!("break: {} ({code}), printed {printed:?}, exit code {exit}", task.status);
    engine.close().await
}
