//! Where the output of commands is kept while it comes.

use std::fmt;

use async_trait::async_trait;
use loom_deps::Timestamp;

use crate::ids::TaskId;

/// Which of its two outputs a command wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Bytes that a command wrote, as they came.
#[derive(Clone, PartialEq, Eq)]
pub struct OutputChunk {
    /// The attempt during which they came.
    pub attempt: u32,
    /// Where they were written to.
    pub stream: Stream,
    /// When they came.
    pub at: Timestamp,
    /// The bytes, not necessarily whole lines nor UTF-8.
    pub bytes: Vec<u8>,
}

/// Shows how much was written, not what.
impl fmt::Debug for OutputChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputChunk")
            .field("attempt", &self.attempt)
            .field("stream", &self.stream)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Part of what is kept of a task's output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputPage {
    /// The chunks, in the order in which they came.
    pub chunks: Vec<OutputChunk>,
    /// Where to read on.
    pub next: u64,
    /// Bytes that were not kept because the task had reached its cap.
    pub cut: u64,
}

/// Output cannot be kept or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// What lies beneath failed.
    #[error("output of task {task} is out of reach: {source}")]
    Io {
        /// The task.
        task: TaskId,
        /// Why.
        source: std::io::Error,
    },
}

/// Keeps output apart from tasks, so that it can grow without weighing on them.
#[async_trait]
pub trait OutputStore: Send + Sync + 'static {
    /// Adds to the output of a task. Beyond the task's cap bytes are counted, not kept.
    async fn append(&self, task: &TaskId, chunk: &OutputChunk) -> Result<(), OutputError>;

    /// Reads from position `from`, where an earlier page said to read on; 0 is the beginning.
    /// At most about `max` bytes. A task without output has an empty page.
    async fn read(&self, task: &TaskId, from: u64, max: usize) -> Result<OutputPage, OutputError>;

    /// Removes all output of a task. Removing what is not there is fine.
    async fn remove(&self, task: &TaskId) -> Result<(), OutputError>;
}
