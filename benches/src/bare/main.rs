//! Measures the starting of processes with nothing around it.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

use kit::{Asked, Result, load, report};
use tokio::process::Command;

#[tokio::main]
async fn main() -> Result {
    let asked = Asked::of_this_program()?;
    if asked.workload != "w5" {
        return Err(format!("bare processes do not do the workload {:?}", asked.workload).into());
    }
    let program: Arc<str> = asked.value::<String>("program")?.into();
    let (running, count) = (asked.value("running")?, asked.value("count")?);
    let begun = Instant::now();
    load::submit_all(running, count, move || run(Arc::clone(&program))).await?;
    report::rate(count, begun.elapsed());
    Ok(())
}

/// Both outputs are read to their ends, as by anyone who wants to know what a command said.
async fn run(program: Arc<str>) -> Result {
    let mut command = Command::new(&*program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = command.output().await?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} ended with {}", output.status).into())
}
