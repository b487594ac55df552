//! The one-line start.

use std::path::Path;

use crate::{Engine, Result, SqliteStore};

/// The name of an engine that nobody has named.
pub const DEFAULT_ENGINE: &str = "default";

/// Opens an engine named `default` on the database at `path`: creates or migrates the database,
/// takes care of what dead processes have left, and starts.
///
/// To set anything, use [`Engine::builder`] with a [`SqliteStore`].
///
/// # Errors
/// [`Error::Store`](crate::Error::Store) says what is wrong with the place and what to do about it.
pub async fn open(path: impl AsRef<Path>) -> Result<Engine> {
    let engine = Engine::builder(DEFAULT_ENGINE, SqliteStore::open(path));
    // What dead processes left running is ended here, for the workers are registered only later.
    #[cfg(feature = "subprocess")]
    let engine = engine.reaper(crate::workers::Leftovers::new());
    engine.start().await
}
