//! Output in memory, for databases that are there, too.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use loom_core::limits::{OUTPUT_MEMORY_BYTES_MAX, OUTPUT_TAIL_BYTES_MAX};
use loom_core::{KeptOutput, OutputError, OutputPage, OutputStore, Printed, TaskId};
use loom_deps::Timestamp;
use tokio::sync::watch;

/// Keeps output as long as it lives.
#[derive(Debug)]
pub(crate) struct MemoryOutput {
    cap: usize,
    kept: Mutex<HashMap<TaskId, KeptOutput>>,
    /// Counts what has come.
    come: watch::Sender<u64>,
}

impl MemoryOutput {
    /// Keeps at most `cap` bytes a task, but never more than is good for memory.
    pub(crate) fn new(cap: usize) -> Self {
        let (kept, come) = (Mutex::default(), watch::Sender::new(0));
        Self { cap: cap.min(OUTPUT_MEMORY_BYTES_MAX), kept, come }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TaskId, KeptOutput>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, task: &TaskId) -> u64 {
        self.lock().get(task).map_or(0, KeptOutput::end)
    }
}

#[async_trait]
impl OutputStore for MemoryOutput {
    async fn append(&self, task: &TaskId, printed: Printed<'_>) -> Result<(), OutputError> {
        let tail = OUTPUT_TAIL_BYTES_MAX.min(self.cap / 4);
        let new = || KeptOutput::new(self.cap - tail, tail);
        self.lock().entry(task.clone()).or_insert_with(new).push(printed);
        self.come.send_modify(|come| *come += 1);
        Ok(())
    }

    async fn flush(&self, _task: &TaskId) -> Result<(), OutputError> {
        Ok(())
    }

    async fn read(&self, task: &TaskId, from: u64, max: usize) -> Result<OutputPage, OutputError> {
        let nothing = || OutputPage { chunks: Vec::new(), next: from };
        Ok(self.lock().get(task).map_or_else(nothing, |kept| kept.read(from, max)))
    }

    async fn grown(&self, task: &TaskId, from: u64) {
        let mut come = self.come.subscribe();
        // The sender that could go away is borrowed here.
        while self.end(task) <= from && come.changed().await.is_ok() {}
    }

    async fn remove(&self, task: &TaskId) -> Result<(), OutputError> {
        self.lock().remove(task);
        Ok(())
    }

    /// None: nothing outlives the process that removes its tasks.
    async fn untouched(&self, _before: Timestamp, _max: usize) -> Result<Vec<TaskId>, OutputError> {
        Ok(Vec::new())
    }
}
