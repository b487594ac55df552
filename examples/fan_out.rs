//! Many tasks at once, but no more than two at a time: the others wait in the store. The results
//! come back in the order asked for, whichever task ends first.
//!
//! Prints:
//! ```text
//! 6057 primes below 60000
//! 5133 primes below 50000
//! 4203 primes below 40000
//! 3245 primes below 30000
//! 2262 primes below 20000
//! 1229 primes below 10000
//! at most 2 ran at once
//! ```

use loom::{Task, TaskContext, TaskRequest, WorkerError, WorkerOptions, worker_fn};

/// Counts the primes below the prompt, on a thread where it holds up nobody.
async fn count_primes(_: TaskContext, task: Task) -> Result<String, WorkerError> {
    let below: u32 = task.prompt.parse()?;
    let is_prime = |n: &u32| (2..).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
    let primes = tokio::task::spawn_blocking(move || (2..below).filter(is_prime).count());
    Ok(format!("{} primes below {below}", primes.await?))
}

/// The most tasks that were under way in the same moment, as their own records tell.
fn most_at_once(tasks: &[Task]) -> usize {
    let during = |task: &Task| {
        let others = tasks.iter().filter(|other| other.started_at <= task.started_at);
        others.filter(|other| other.completed_at > task.started_at).count()
    };
    tasks.iter().map(during).max().unwrap_or(0)
}

#[tokio::main]
async fn main() -> loom::Result<()> {
    let engine = loom::open("tasks.db").await?;
    let two_at_once = WorkerOptions::new().max_running(2); // the builder has one for all types
    engine.register_with("primes", worker_fn(count_primes), two_at_once)?;

    let mut ids = Vec::new();
    for below in [60_000, 50_000, 40_000, 30_000, 20_000, 10_000] {
        let request = TaskRequest::new("primes", below.to_string());
        ids.push(engine.submit(request).await?.id);
    }

    let tasks = engine.wait_all(ids).await?;
    for task in &tasks {
        println!("{}", task.result);
    }
    println!("at most {} ran at once", most_at_once(&tasks));
    engine.close().await
}
