//! Tasks per second, from the first submission until the last task is durably completed.
//!
//! `cargo bench -p loom` prints one `name value` a line: for each durability and number of
//! concurrent submitters, tasks per second and the median time of a submission in microseconds.
//! Figures of different runs or machines cannot be compared, only those of one run.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

use std::time::{Duration, Instant};

use loom::{Durability, Engine, SqliteStore, Task, TaskQuery, TaskRequest, TaskStatus, worker_fn};

/// How long each setting may take, about.
const ABOUT: Duration = Duration::from_secs(2);
const PROMPT_BYTES: usize = 200;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (name, durability) in [("full", Durability::Full), ("normal", Durability::Normal)] {
        for submitters in [1, 16, 256] {
            let (rate, median) = runtime.block_on(measure(durability, submitters));
            println!("w1.{name}.c{submitters}.tasks_per_s {rate:.0}");
            println!("w1.{name}.c{submitters}.submit_p50_us {}", median.as_micros());
        }
    }
}

async fn measure(durability: Durability, submitters: usize) -> (f64, Duration) {
    let home = tempfile::tempdir().unwrap();
    let store = SqliteStore::builder(home.path().join("tasks.db")).durability(durability).build();
    let echo = worker_fn(async |_, task: Task| Ok(task.prompt));
    let engine = Engine::builder("bench", store).worker("echo", echo).start().await.unwrap();
    let begun = Instant::now();
    let submitting: Vec<_> =
        (0..submitters).map(|_| tokio::spawn(submit(engine.clone(), begun))).collect();
    let mut took = Vec::new();
    for submitter in submitting {
        took.extend(submitter.await.unwrap());
    }
    let total = u64::try_from(took.len()).unwrap();
    let done = TaskQuery::all().statuses([TaskStatus::Completed]);
    while engine.count(done.clone()).await.unwrap().total() < total {
        tokio::task::yield_now().await;
    }
    let elapsed = begun.elapsed();
    engine.close().await.unwrap();
    took.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "far fewer tasks than 2^52")]
    let rate = took.len() as f64 / elapsed.as_secs_f64();
    (rate, took[took.len() / 2])
}

/// Submits one task after the other until the time is over; how long each submission took.
async fn submit(engine: Engine, begun: Instant) -> Vec<Duration> {
    let mut took = Vec::new();
    while begun.elapsed() < ABOUT {
        let request = TaskRequest::new("echo", "x".repeat(PROMPT_BYTES));
        let before = Instant::now();
        engine.submit(request).await.unwrap();
        took.push(before.elapsed());
    }
    took
}
