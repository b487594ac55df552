//! W2 without a queue: the update that recovery comes to, in one statement.

use std::time::Instant;

use kit::{Asked, Result, report};
use rusqlite::params;

use crate::open;

const CRASH: &str = "UPDATE loom_tasks \
    SET status = 'failed_crash', owner = NULL, completed_at = ?1, failure = 'crashed', error = ?2 \
    WHERE owner IN (SELECT seq FROM loom_instances)";

const MOMENT: i64 = 1_795_458_524_804_131;
const ERROR: &str = "the process that had the task in hand died (pid 12345)";

pub fn run(asked: &Asked) -> Result {
    let wanted: usize = asked.value("in_flight")?;
    let begun = Instant::now();
    let connection = open(asked)?;
    let changed = connection.execute(CRASH, params![MOMENT, ERROR])?;
    let elapsed = begun.elapsed();
    if changed != wanted {
        return Err(format!("{changed} of {wanted} tasks were changed").into());
    }
    report::value("s", elapsed.as_secs_f64());
    Ok(())
}
