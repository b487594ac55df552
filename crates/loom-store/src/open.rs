//! A database that is open.

use std::path::PathBuf;

use loom_core::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};

use crate::connection::{Args, Part, run_one};
use crate::error::{Fault, store_error};
use crate::locks::Locks;
use crate::membership::Seats;
use crate::sql::Text;
use crate::writer::{Lent, Writer};

/// A database that has been checked and migrated, and what a store holds of it.
pub(crate) struct Open {
    /// The database, for errors to name.
    pub(crate) path: PathBuf,
    pub(crate) writer: Writer,
    /// `None` in memory, where the writer's connection is all there is.
    pub(crate) readers: Option<SqlitePool>,
    pub(crate) locks: Locks,
    pub(crate) seats: Seats,
}

/// A connection to read through.
pub(crate) enum Reader {
    Pooled(PoolConnection<Sqlite>),
    Lent(Lent),
}

impl Reader {
    pub(crate) fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        match self {
            Self::Pooled(connection) => Ok(connection),
            Self::Lent(lent) => lent.connection(),
        }
    }
}

impl Open {
    pub(crate) async fn reader(&self) -> Result<Reader, StoreError> {
        match &self.readers {
            Some(pool) => pool.acquire().await.map(Reader::Pooled).map_err(|e| self.error(e)),
            None => self.writer.lend().await.map(Reader::Lent),
        }
    }

    /// Runs a text of one statement that only reads.
    pub(crate) async fn read(&self, text: Text, args: Args) -> Result<Part, StoreError> {
        let mut reader = self.reader().await?;
        let connection = reader.connection()?;
        run_one(connection, text, args).await.map_err(|error| self.error(error))
    }

    pub(crate) fn error(&self, fault: impl Into<Fault>) -> StoreError {
        store_error(&self.path, fault)
    }

    pub(crate) async fn close(&self) {
        if let Some(readers) = &self.readers {
            readers.close().await;
        }
        self.writer.close().await;
    }
}
