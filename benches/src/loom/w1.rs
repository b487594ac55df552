//! W1: tasks from the first submission until the last is durably completed. W6 is the same with
//! somebody looking on.

use std::time::Instant;

use kit::{Asked, Result, load, report};
use loom::{Engine, TaskQuery, TaskStatus};

use crate::echo::{self, ECHO, Ends};
use crate::store;
use crate::w6::Onlookers;

pub async fn run(asked: &Asked) -> Result {
    let (submitters, count) = (asked.value("submitters")?, asked.value("count")?);
    let ends = Ends::new(count);
    let builder = store::engine(asked)?.worker(ECHO, echo::worker(&ends));
    let (builder, onlookers) = Onlookers::of(asked, builder);
    let engine = builder.start().await?;
    onlookers.listen(&engine);
    let submitted_to = engine.clone();
    let begun = Instant::now();
    let took =
        load::submit_all(submitters, count, move || echo::submit(submitted_to.clone())).await?;
    ends.wait(&engine).await?;
    all_completed(&engine, count).await?;
    let elapsed = begun.elapsed();
    engine.close().await?;
    if ends.tally.done() != count {
        return Err(format!("{count} tasks were executed {} times", ends.tally.done()).into());
    }
    report::rate(count, elapsed);
    report::latency("submit", took);
    onlookers.report();
    Ok(())
}

/// Waits until every task is completed, and makes sure that none has failed.
async fn all_completed(engine: &Engine, count: usize) -> Result {
    loop {
        let counts = engine.count(TaskQuery::all()).await?;
        let completed = usize::try_from(counts.of(TaskStatus::Completed))?;
        if completed == count {
            return Ok(());
        }
        let active = TaskStatus::ALL.into_iter().filter(|status| status.is_active());
        if active.map(|status| counts.of(status)).sum::<u64>() == 0 {
            return Err(format!("{completed} of {count} tasks were completed").into());
        }
        tokio::task::yield_now().await;
    }
}
