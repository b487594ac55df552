//! The only unsafe line of the project: a connection of sqlx, used through its raw handle.

#![expect(unsafe_code, reason = "a raw handle can be had in no other way")]

use rusqlite::Connection;
use sqlx::sqlite::LockedSqliteHandle;

/// Statements that stay prepared: more than there are, so that none is prepared twice.
const STATEMENTS_MAX: usize = 64;

/// A second view of the connection behind `locked`, for the statements of commits and
/// questions.
///
/// The caller uses it, and drops it, only while it holds such a lock, and before the connection is
/// closed.
pub(super) fn view(locked: &mut LockedSqliteHandle<'_>) -> rusqlite::Result<Connection> {
    let handle = locked.as_raw_handle().as_ptr();
    // SAFETY: the handle is that of an open connection, of the same SQLite library that rusqlite is
    // linked with (one `links = "sqlite3"` a program). The lock keeps sqlx's thread away from it,
    // the view never closes it, and `Raw`, which owns both, drops the view first.
    let view = unsafe { Connection::from_handle(handle) }?;
    view.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(view)
}
