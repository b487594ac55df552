//! A database that is open.

use std::path::PathBuf;

use loom_core::StoreError;

use crate::error::{Fault, store_error};
use crate::hand::Hand;
use crate::locks::Locks;
use crate::membership::Seats;
use crate::readers::Readers;
use crate::writer::Writer;

/// A database that has been checked and migrated, and what a store holds of it.
pub(crate) struct Open {
    /// The database, for errors to name.
    pub(crate) path: PathBuf,
    pub(crate) writer: Writer,
    /// `None` in memory, where the writer's connection is all there is.
    pub(crate) readers: Option<Readers>,
    pub(crate) locks: Locks,
    pub(crate) seats: Seats,
}

impl Open {
    /// What `question` reads.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(Hand<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let found = match &self.readers {
            Some(readers) => readers.ask(question).await?,
            None => self.writer.read(question).await?,
        };
        found.map_err(|fault| self.error(fault))
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
