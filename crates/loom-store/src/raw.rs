//! A connection of sqlx, and the view of it through its raw handle.

mod handle;

use futures_executor::block_on;
use rusqlite::Connection;
use sqlx::SqliteConnection;
use sqlx::sqlite::LockedSqliteHandle;

use crate::connection;
use crate::error::Fault;

/// An open connection, and the view of it. The view comes first, so that it is dropped first.
pub(crate) struct Raw {
    pub(crate) view: Option<Connection>,
    pub(crate) connection: SqliteConnection,
}

impl Raw {
    pub(crate) const fn new(connection: SqliteConnection) -> Self {
        Self { view: None, connection }
    }

    /// Keeps sqlx's own thread away from the connection, and gives the view of it.
    pub(crate) fn hold(&mut self) -> Result<(LockedSqliteHandle<'_>, &Connection), Fault> {
        let mut locked = block_on(self.connection.lock_handle())?;
        let view = match self.view.take() {
            Some(view) => view,
            None => handle::view(&mut locked)?,
        };
        Ok((locked, self.view.insert(view)))
    }

    /// Closes the connection.
    pub(crate) fn close(self) {
        let Self { view, mut connection } = self;
        if view.is_some() {
            // Its statements end with it. Somebody who has given the connection back may have
            // left a question that sqlx's thread is still at. Without that thread there is no
            // lock, and none is needed.
            let locked = block_on(connection.lock_handle());
            drop(view);
            drop(locked);
        }
        block_on(connection::close(connection));
    }
}
