//! W4: reading from, and submitting to, a database that holds many old tasks.

use std::time::{Duration, Instant};

use kit::{Asked, Result, load, report};
use loom::{Engine, TaskQuery};

use crate::echo::{self, ECHO, Ends};
use crate::store;

const GETS: u64 = 5000;
const PAGES: u64 = 1000;
const COUNTS: u64 = 100;

/// Counts take long where there are many rows: then fewer will do.
const COUNTING_MAX: Duration = Duration::from_secs(10);

/// Steps through the rows so that each read meets another place: no factor of any number of rows
/// or projects.
const STRIDE: u64 = 7_368_787;

pub async fn run(asked: &Asked) -> Result {
    let rows: u64 = asked.value("rows")?;
    let engine = store::engine(asked)?.start().await?;
    let mut gets = Vec::new();
    for n in 0..GETS {
        let id = format!("0199c0de-0000-7000-8000-{:012x}", 1 + n * STRIDE % rows);
        let begun = Instant::now();
        engine.get(id).await?;
        gets.push(begun.elapsed());
    }
    report::latency("get", gets);
    report::latency("page", pages(&engine).await?);
    report::latency("count", counts(&engine, rows).await?);
    engine.close().await?;
    Ok(())
}

/// The newest hundred tasks of a project.
async fn pages(engine: &Engine) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    for n in 0..PAGES {
        let query = TaskQuery::all().project(format!("project-{}", n * STRIDE % 1000)).limit(100);
        let begun = Instant::now();
        let page = engine.list(query).await?;
        took.push(begun.elapsed());
        if page.tasks.len() != 100 {
            return Err(format!("a page holds {} tasks", page.tasks.len()).into());
        }
    }
    Ok(took)
}

/// All tasks, by status.
async fn counts(engine: &Engine, rows: u64) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    let until = Instant::now() + COUNTING_MAX;
    while (took.len() as u64) < COUNTS && Instant::now() < until {
        let begun = Instant::now();
        let counts = engine.count(TaskQuery::all()).await?;
        took.push(begun.elapsed());
        if counts.total() < rows {
            return Err(format!("{} of {rows} tasks were counted", counts.total()).into());
        }
    }
    Ok(took)
}

/// How many tasks a second are taken.
pub async fn submit(asked: &Asked) -> Result {
    let (submitters, count) = (asked.value("submitters")?, asked.value("count")?);
    let ends = Ends::new(count);
    let engine = store::engine(asked)?.worker(ECHO, echo::worker(&ends)).start().await?;
    let submitted_to = engine.clone();
    let begun = Instant::now();
    load::submit_all(submitters, count, move || echo::submit(submitted_to.clone())).await?;
    let elapsed = begun.elapsed();
    ends.wait(&engine).await?;
    engine.close().await?;
    report::rate(count, elapsed);
    Ok(())
}
