//! W2: taking care of what a dead process left in flight.

use std::time::Instant;

use kit::{Asked, Result, report};
use loom::{TaskQuery, TaskStatus};

use crate::echo::{self, Ends};
use crate::store;

pub async fn run(asked: &Asked) -> Result {
    let wanted: u64 = asked.value("in_flight")?;
    let builder = store::engine(asked)?.worker("old", echo::worker(&Ends::new(0)));
    let begun = Instant::now();
    // Every start recovers before it returns.
    let engine = builder.start().await?;
    let elapsed = begun.elapsed();
    let crashed = engine.count(TaskQuery::all()).await?.of(TaskStatus::FailedCrash);
    engine.close().await?;
    if crashed != wanted {
        return Err(format!("{crashed} of {wanted} tasks were recovered").into());
    }
    report::value("s", elapsed.as_secs_f64());
    Ok(())
}
