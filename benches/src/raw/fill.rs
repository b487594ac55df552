//! Fills a database that loom has made, with as many old tasks as wanted.

use std::fs::File;

use kit::{Asked, Result, TEXT};
use rusqlite::{Connection, params};

pub fn run(asked: &Asked) -> Result {
    let (rows, every): (i64, i64) = (asked.value("rows")?, asked.value("in_flight_every")?);
    let database = asked.dir()?.join("tasks.db");
    let connection = Connection::open(&database)?;
    // Nothing is lost that could not be filled in again.
    connection.pragma_update(None, "synchronous", "OFF")?;
    let dead = "SELECT max(seq) FROM loom_instances";
    let dead: i64 = connection.query_row(dead, [], |row| row.get(0))?;
    connection.execute(include_str!("fill.sql"), params![rows, every, dead, TEXT])?;
    connection.execute_batch(include_str!("numbers.sql"))?;
    // The whole of it in one file, which can be copied.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What comes to be measured is not to wait until this has reached the disk.
    File::open(database)?.sync_all()?;
    Ok(())
}
