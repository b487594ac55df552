//! Output of tasks in files beside the database.
//!
//! Each task that prints has a directory: `output/<shard>/<task>`. In it are segments, files that
//! only grow, with one frame after another; and, once the task has reached its cap, two files that
//! hold its latest output in turn. Nothing is synced: what is written survives the death of its
//! process, not necessarily a power cut.

mod folder;
mod frame;
mod memory;
mod names;
mod queue;
mod reading;
mod scribe;
mod sheet;
mod tail;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use loom_core::limits::OUTPUT_TAIL_BYTES_MAX;
use loom_core::{OutputError, OutputPage, OutputStore, Printed, TaskId};
use loom_deps::{Clock, Timestamp};

pub(crate) use self::memory::MemoryOutput;
use self::names::Names;
use self::queue::Queue;
use self::sheet::Sheet;

/// How much a task may print.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// What the segments hold, at most.
    head: u64,
    /// What each of the two files for the latest output holds, at most.
    tail: usize,
}

impl Bounds {
    fn of(cap: usize) -> Self {
        let tail = OUTPUT_TAIL_BYTES_MAX.min(cap / 4);
        Self { head: cap.saturating_sub(2 * tail) as u64, tail }
    }
}

/// Keeps output in files.
///
/// What comes is put down in memory, within a bound, and written by one thread, which takes all
/// that waits of a task at once.
pub(crate) struct FileOutput {
    names: Names,
    bounds: Bounds,
    /// What is being printed by attempts of this process.
    sheets: Arc<Sheets>,
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    /// Where to go on looking for what has not been touched.
    shard: AtomicU32,
}

/// The sheets, by task.
#[derive(Default)]
pub(crate) struct Sheets(Mutex<HashMap<TaskId, Arc<Sheet>>>);

impl Sheets {
    fn lock(&self) -> MutexGuard<'_, HashMap<TaskId, Arc<Sheet>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, task: &TaskId) -> Option<Arc<Sheet>> {
        self.lock().get(task).cloned()
    }

    /// Lets go of a sheet that is done.
    fn forget(&self, sheet: &Arc<Sheet>) {
        let mut sheets = self.lock();
        if sheets.get(&sheet.task).is_some_and(|there| Arc::ptr_eq(there, sheet)) {
            sheets.remove(&sheet.task);
        }
    }
}

impl FileOutput {
    /// Keeps output below `directory`, at most `cap` bytes a task. Nothing is made before there is
    /// anything to keep.
    pub(crate) fn new(directory: PathBuf, cap: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            names: Names::new(directory),
            bounds: Bounds::of(cap),
            sheets: Arc::default(),
            queue: Arc::default(),
            clock,
            shard: AtomicU32::new(0),
        }
    }

    fn sheet(&self, task: &TaskId) -> Arc<Sheet> {
        let mut sheets = self.sheets.lock();
        let new = || Arc::new(Sheet::new(task.clone(), self.names.task(task), self.bounds));
        Arc::clone(sheets.entry(task.clone()).or_insert_with(new))
    }

    /// Puts a sheet before the thread that writes, which is started by the first.
    fn hand_in(&self, sheet: &Arc<Sheet>) -> io::Result<()> {
        self.queue.start(|queue| scribe::start(queue, &self.sheets, &self.clock))?;
        self.queue.push(Arc::clone(sheet));
        Ok(())
    }
}

#[async_trait]
impl OutputStore for FileOutput {
    async fn append(&self, task: &TaskId, printed: Printed<'_>) -> Result<(), OutputError> {
        let sheet = self.sheet(task);
        for bytes in printed.bytes.chunks(frame::BYTES_MAX) {
            if sheet.take(Printed { bytes, ..printed }).await
                && let Err(error) = self.hand_in(&sheet)
            {
                sheet.give_up(error);
            }
        }
        sheet.trouble().map_or(Ok(()), |source| Err(io_error(task, source)))
    }

    async fn flush(&self, task: &TaskId) -> Result<(), OutputError> {
        let Some(sheet) = self.sheets.get(task) else { return Ok(()) };
        let done = sheet.finish();
        if let Err(error) = self.hand_in(&sheet) {
            self.sheets.forget(&sheet);
            return Err(io_error(task, error));
        }
        // The sender goes away only with the thread, which takes everything down before.
        done.await.unwrap_or(Ok(())).map_err(|source| io_error(task, source))
    }

    async fn read(&self, task: &TaskId, from: u64, max: usize) -> Result<OutputPage, OutputError> {
        let directory = self.names.task(task);
        let read = blocking(move || reading::read(&directory, from, max)).await;
        read.map_err(|source| io_error(task, source))
    }

    async fn grown(&self, task: &TaskId, from: u64) {
        match self.sheets.get(task) {
            Some(sheet) => sheet.grown(from).await,
            None => std::future::pending().await,
        }
    }

    async fn remove(&self, task: &TaskId) -> Result<(), OutputError> {
        if let Some(sheet) = self.sheets.get(task) {
            self.sheets.forget(&sheet);
        }
        let directory = self.names.task(task);
        let removed = blocking(move || folder::remove(&directory)).await;
        removed.map_err(|source| io_error(task, source))
    }

    async fn untouched(&self, before: Timestamp, max: usize) -> Result<Vec<TaskId>, OutputError> {
        let (names, first) = (self.names.clone(), self.shard.load(Ordering::Relaxed));
        let looked = blocking(move || Ok(names.untouched(first, before, max))).await;
        let (tasks, next) = looked.map_err(OutputError::Unlisted)?;
        self.shard.store(next, Ordering::Relaxed);
        Ok(tasks)
    }
}

impl Drop for FileOutput {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl fmt::Debug for FileOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileOutput").field("names", &self.names).finish_non_exhaustive()
    }
}

/// Does what waits for a disk where that holds up nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn io_error(task: &TaskId, source: io::Error) -> OutputError {
    OutputError::Io { task: task.clone(), source }
}
