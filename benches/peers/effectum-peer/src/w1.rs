//! W1: jobs from the first submission until the last is durably completed.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use effectum::{Error, Job, JobRunner, Queue, RunningJob, Worker};
use kit::tally::Tally;
use kit::{Asked, Durability, Result, TEXT, load, report};
use rusqlite::Connection;

use crate::synchronous;

/// Jobs at once: as many as loom runs by default.
const RUNNING_MAX: u16 = 1024;

#[derive(Clone)]
struct Done(Arc<Tally>);

impl fmt::Debug for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Done")
    }
}

pub async fn run(asked: &Asked) -> Result {
    let (submitters, count) = (asked.value("submitters")?, asked.value("count")?);
    let path = asked.dir()?.join("jobs.db");
    prepare(asked, &path)?;
    let queue = Arc::new(Queue::new(&path).await?);
    let done = Done(Arc::new(Tally::new(count)));
    let worker = Worker::builder(&queue, done.clone()).max_concurrency(RUNNING_MAX);
    let worker = worker.jobs([JobRunner::builder("echo", echo).build()]).build().await?;
    let begun = Instant::now();
    let submitter = Arc::clone(&queue);
    let submit = move || {
        let queue = Arc::clone(&submitter);
        async move {
            Job::builder("echo").payload(TEXT.into()).add_to(&queue).await?;
            Ok(())
        }
    };
    let took = load::submit_all(submitters, count, submit).await?;
    done.0.all().await;
    let elapsed = begun.elapsed();
    worker.unregister(Some(Duration::from_secs(10))).await?;
    queue.close(Duration::from_secs(10)).await?;
    check(&path, count)?;
    report::rate(count, elapsed);
    report::latency("submit", took);
    Ok(())
}

/// Effectum means to switch its file to WAL and misspells the pragma. A file that has been switched
/// before stays so, and with it effectum is at its best.
fn prepare(asked: &Asked, path: &Path) -> Result {
    if !asked.is("variant", "shipped") {
        let set = Connection::open(path)?;
        set.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    }
    if asked.durability()? == Durability::Full {
        synchronous::keep_full()?;
    }
    Ok(())
}

/// What is completed by hand is durable when that returns: effectum answers after its commit.
async fn echo(job: RunningJob, done: Done) -> std::result::Result<(), Error> {
    let text = String::from_utf8_lossy(&job.payload).into_owned();
    job.complete(text).await?;
    done.0.count();
    Ok(())
}

/// Makes sure that every job is completed.
fn check(path: &Path, count: usize) -> Result {
    let succeeded = "SELECT count(*) FROM jobs WHERE status = 'succeeded'";
    let succeeded: usize = Connection::open(path)?.query_row(succeeded, [], |row| row.get(0))?;
    if succeeded == count {
        return Ok(());
    }
    Err(format!("{succeeded} of {count} jobs were completed").into())
}
