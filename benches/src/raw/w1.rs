//! W1 without a queue: three row writes a task, a thousand tasks a commit.

use std::time::Instant;

use kit::{Asked, Result, TEXT, report};
use rusqlite::{Connection, params};

use crate::open;

const BATCH_TASKS: usize = 1000;

const PROJECT: &str = "bench";
const MOMENT: &str = "2026-11-22 14:42:04.805002857 +0000 UTC";

const RUN: &str = "UPDATE tasks SET status = 'running', dispatched_at = ?2 WHERE id = ?1";
const COMPLETE: &str =
    "UPDATE tasks SET status = 'completed', result = ?2, completed_at = ?3 WHERE id = ?1";

pub fn run(asked: &Asked) -> Result {
    let count: usize = asked.value("count")?;
    let mut connection = open(asked)?;
    connection.execute_batch(include_str!("schema.sql"))?;
    connection.set_prepared_statement_cache_capacity(8);
    let begun = Instant::now();
    for first in (0..count).step_by(BATCH_TASKS) {
        write(&mut connection, first..count.min(first + BATCH_TASKS))?;
    }
    let elapsed = begun.elapsed();
    check(&connection, count)?;
    report::rate(count, elapsed);
    Ok(())
}

fn write(connection: &mut Connection, tasks: std::ops::Range<usize>) -> Result {
    let transaction = connection.transaction()?;
    let mut insert = transaction.prepare_cached(include_str!("insert.sql"))?;
    let mut run = transaction.prepare_cached(RUN)?;
    let mut complete = transaction.prepare_cached(COMPLETE)?;
    for task in tasks {
        let id = id(task);
        insert.execute(params![id, PROJECT, TEXT, MOMENT])?;
        run.execute(params![id, MOMENT])?;
        complete.execute(params![id, TEXT, MOMENT])?;
    }
    drop((insert, run, complete));
    transaction.commit()?;
    Ok(())
}

/// As long as a UUID, and growing as those of version 7 do.
fn id(task: usize) -> String {
    format!("0199c0de-0000-7000-8000-{task:012x}")
}

fn check(connection: &Connection, count: usize) -> Result {
    let completed = "SELECT count(*) FROM tasks WHERE status = 'completed' AND result = ?1";
    let completed: i64 = connection.query_row(completed, [TEXT], |row| row.get(0))?;
    if usize::try_from(completed)? == count {
        return Ok(());
    }
    Err(format!("{completed} of {count} tasks were completed").into())
}
