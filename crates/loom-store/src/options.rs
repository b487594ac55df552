//! How a store is set up.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loom_core::limits::OUTPUT_BYTES_MAX;
use loom_deps::{Clock, SystemClock, SystemTimer, Timer};

use crate::store::SqliteStore;

/// How long a connection waits for a lock that another holds.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a commit that was answered survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// Everything short of a broken disk: each commit is synced before it is answered.
    #[default]
    Full,
    /// The death of the process, but not a power cut or a crash of the machine, which may take the
    /// latest commits away. The database stays sound. Faster where syncing is slow.
    Normal,
}

/// Where the tasks are.
#[derive(Clone, Debug)]
pub(crate) enum Location {
    File(PathBuf),
    Memory,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) location: Location,
    pub(crate) durability: Durability,
    pub(crate) busy_timeout: Duration,
    pub(crate) output_max: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timer: Arc<dyn Timer>,
}

/// Sets a [`SqliteStore`] up.
///
/// ```
/// use std::time::Duration;
/// use loom_store::{Durability, SqliteStore};
///
/// let store = SqliteStore::builder("tasks.db")
///     .durability(Durability::Normal)
///     .busy_timeout(Duration::from_secs(10))
///     .build();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteStoreBuilder(Settings);

impl SqliteStoreBuilder {
    pub(crate) fn new(location: Location) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let timer = Arc::new(SystemTimer::new(Arc::clone(&clock)));
        let durability = Durability::default();
        Self(Settings {
            location,
            durability,
            busy_timeout: BUSY_TIMEOUT,
            output_max: OUTPUT_BYTES_MAX,
            clock,
            timer,
        })
    }

    pub(crate) fn at(path: &Path) -> Self {
        Self::new(Location::File(path.to_path_buf()))
    }

    /// What a commit survives. Default [`Durability::Full`].
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.0.durability = durability;
        self
    }

    /// How long to wait for a lock that another process holds before the store is
    /// [`Unavailable`](loom_core::StoreError::Unavailable). Default 5 s.
    pub const fn busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.0.busy_timeout = busy_timeout;
        self
    }

    /// How many bytes of the output of a task are kept while it comes. Beyond that the beginning and
    /// the latest stay; the latest 256 KiB, or a quarter of this if that is less. With 0 nothing is
    /// kept. Default 16 MiB; in memory never more than 1 MiB.
    pub const fn output_max(mut self, output_max: usize) -> Self {
        self.0.output_max = output_max;
        self
    }

    /// Who is asked for the time and waited with, which happens in
    /// [`changed`](loom_core::TaskStore::changed). `timer` must belong to `clock`. Default: those of
    /// the system.
    pub fn time(mut self, clock: Arc<dyn Clock>, timer: Arc<dyn Timer>) -> Self {
        self.0.clock = clock;
        self.0.timer = timer;
        self
    }

    #[cfg(test)]
    pub(crate) fn settings(self) -> Settings {
        self.0
    }

    /// The store. Nothing is read or written before it is first used.
    #[must_use]
    pub fn build(self) -> SqliteStore {
        SqliteStore::new(self.0)
    }
}
