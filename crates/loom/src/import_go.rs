//! Taking over what the Go library has kept.

use std::path::Path;

use crate::{Engine, GoDatabase, GoUnreadable, ImportReport, Result};

/// What an import of a Go database has done so far.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GoImport {
    /// What became of the tasks that could be read.
    pub tasks: ImportReport,
    /// How many rows could not be read. They are still in the Go database.
    pub unreadable_count: u64,
    /// The first 100 of them, and why.
    pub unreadable: Vec<GoUnreadable>,
}

impl GoImport {
    /// Rows that cannot be read and are named; more are only counted.
    pub const UNREADABLE_MAX: usize = 100;

    /// Nothing has been imported yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Imports the next tasks of `database`. Whether there were any.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) if the Go database cannot be read, and as
    /// [`Engine::import_all`]. What was imported before stays: repeat the import.
    pub async fn page(&mut self, engine: &Engine, database: &mut GoDatabase) -> Result<bool> {
        let Some(page) = database.page(engine.clock().now()).await? else { return Ok(false) };
        self.unreadable_count += page.unreadable.len() as u64;
        let room = Self::UNREADABLE_MAX - self.unreadable.len().min(Self::UNREADABLE_MAX);
        self.unreadable.extend(page.unreadable.into_iter().take(room));
        self.tasks.add(engine.import_all(page.tasks).await?);
        Ok(true)
    }
}

/// Takes over all tasks of the database at `path`, which the Go library has written, into the store
/// of `engine`. It can be repeated: a task that is there already is left as it is. The Go database
/// is only read; no Go program should run on it meanwhile.
///
/// Tasks keep their engine names; those that wait are run by engines of these names, `engine` among
/// them. To watch the progress, or to name an engine for tasks that have none, take the pages of a
/// [`GoDatabase`] one by one with [`GoImport::page`].
///
/// ```no_run
/// # async fn import() -> loom::Result<()> {
/// let engine = loom::open("tasks.db").await?;
/// let import = loom::import_go(&engine, "go.db").await?;
/// println!("{} tasks added", import.tasks.added);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Store`](crate::Error::Store) if `path` is no database of the Go library or cannot be
/// read, and as [`Engine::import_all`]. What was imported before stays.
pub async fn import_go(engine: &Engine, path: impl AsRef<Path>) -> Result<GoImport> {
    let mut database = GoDatabase::open(path).await?;
    let mut import = GoImport::new();
    while import.page(engine, &mut database).await? {}
    database.close().await;
    Ok(import)
}
