//! W3: many tasks in flight, each asleep.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kit::tally::Tally;
use kit::{Asked, Result, load, report};
use loom::{Task, TaskContext, worker_fn};

use crate::echo::{self, ECHO};
use crate::store;

const SUBMITTERS: usize = 256;

/// Longer than the measurement, which ends with the process.
const ASLEEP: Duration = Duration::from_secs(3600);

pub async fn run(asked: &Asked) -> Result {
    let count: usize = asked.value("count")?;
    let asleep = Arc::new(Tally::new(count));
    let falling = Arc::clone(&asleep);
    let worker = worker_fn(move |_: TaskContext, task: Task| {
        falling.count();
        async move {
            #[expect(clippy::disallowed_methods, reason = "what workers do that poll something")]
            tokio::time::sleep(ASLEEP).await;
            Ok(task.prompt)
        }
    });
    let engine = store::engine(asked)?.worker(ECHO, worker).max_running(count).start().await?;
    let before = resident_bytes()?;
    let begun = Instant::now();
    let submitted_to = engine.clone();
    load::submit_all(SUBMITTERS, count, move || echo::submit(submitted_to.clone())).await?;
    asleep.all().await;
    let elapsed = begun.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "a process has less than 2^52 bytes")]
    let bytes = (resident_bytes()? - before) as f64 / count as f64;
    report::value("bytes_per_task", bytes);
    report::value("start_s", elapsed.as_secs_f64());
    Ok(())
}

/// The memory of this process that is not swapped out, as Linux tells it.
fn resident_bytes() -> Result<i64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kibibytes.ok_or("the system does not tell the memory in use")?.parse::<i64>()? * 1024)
}
