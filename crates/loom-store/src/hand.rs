//! Runs statements on a raw handle: each is prepared once, and a row costs no message.

use loom_core::StoreError;
use rusqlite::{Connection, Params, Row};

use crate::error::Fault;
use crate::sql::{self, Text};

/// Something to be read on the thread of a connection, or why it cannot be. Sees to it by itself that
/// its answer arrives.
pub(crate) type Question = Box<dyn FnOnce(Result<Hand<'_>, StoreError>) + Send>;

/// Runs the statements of commits and questions.
#[derive(Clone, Copy)]
pub(crate) struct Hand<'c>(pub(crate) &'c Connection);

impl Hand<'_> {
    /// How many rows the statement has changed.
    pub(crate) fn run(self, text: Text, params: impl Params) -> rusqlite::Result<usize> {
        self.0.prepare_cached(text.sql)?.execute(params)
    }

    /// What `read` makes of the first row, if there is one.
    pub(crate) fn first<T>(
        self,
        text: Text,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let mut statement = self.0.prepare_cached(text.sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(read).transpose()
    }

    /// What `read` makes of each row.
    pub(crate) fn each<T>(
        self,
        text: Text,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut statement = self.0.prepare_cached(text.sql)?;
        let mut rows = statement.query(params)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }

    /// What `read` makes of one state of the database, whatever others commit meanwhile. If it fails,
    /// the transaction stays open.
    pub(crate) fn at_once<T, E: From<rusqlite::Error>>(
        self,
        read: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(sql::BEGIN_READ, [])?;
        let found = read()?;
        self.run(sql::COMMIT, [])?;
        Ok(found)
    }

    /// Brings the connection out of any transaction. Says whether it can be used on.
    pub(crate) fn roll_back(self) -> bool {
        self.0.is_autocommit() || self.0.execute_batch(sql::ROLLBACK.sql).is_ok()
    }
}
