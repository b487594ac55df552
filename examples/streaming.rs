//! What a command prints, line by line, while it runs: each line goes to a callback and to the
//! task's progress.
//!
//! Prints:
//! ```text
//! [task 1] compiling
//! [task 1] testing
//! [task 1] all 12 tests passed
//! completed: 3 lines, the last one "all 12 tests passed"
//! ```

use loom::workers::{CommandLine, command_request};
use loom::{StreamingBase, SubprocessBase, Task};

#[tokio::main]
async fn main() -> loom::Result<()> {
    let engine = loom::open("tasks.db").await?;
    let builds = StreamingBase::new(SubprocessBase::new(CommandLine))
        .on_line(|task: &Task, line: &str| println!("[task {}] {line}", task.seq));
    engine.register("build", builds)?;

    let script = "echo compiling; echo testing; echo all 12 tests passed";
    let build = engine.submit(command_request("build", ["sh", "-c", script])).await?;

    let task = engine.wait(build.id).await?;
    let (lines, last) = (task.progress.lines, &task.progress.line);
    println!("{}: {lines} lines, the last one {last:?}", task.status);
    engine.close().await
}
