//! Measures SQLite without a queue around it: what no queue on SQLite can be faster than. Fills the
//! databases that loom is measured on as well.

mod fill;
mod w1;
mod w2;

use kit::{Asked, Durability, Result};
use rusqlite::Connection;

/// Pages in the write-ahead log before it is brought into the database, as loom sets it: with the
/// 1,000 that SQLite sets by itself the limit would be lower.
const CHECKPOINT_PAGES: u32 = 4000;

fn main() -> Result {
    let asked = Asked::of_this_program()?;
    match asked.workload.as_str() {
        "fill" => fill::run(&asked),
        "w1" => w1::run(&asked),
        "w2" => w2::run(&asked),
        other => Err(format!("raw SQLite does not do the workload {other:?}").into()),
    }
}

/// The database in the folder that was named.
fn open(asked: &Asked) -> Result<Connection> {
    let connection = Connection::open(asked.dir()?.join("tasks.db"))?;
    let synchronous = match asked.durability()? {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    Ok(connection)
}
