//! What attempts print, kept while it comes.

mod kept;

use std::fmt;

use async_trait::async_trait;
use loom_deps::Timestamp;

pub use self::kept::KeptOutput;
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

impl Stream {
    /// `stdout` or `stderr`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What an attempt has just printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Printed<'a> {
    /// The number of the attempt.
    pub attempt: u32,
    /// Where it was written to.
    pub stream: Stream,
    /// When it came.
    pub at: Timestamp,
    /// The bytes, not necessarily whole lines nor UTF-8.
    pub bytes: &'a [u8],
}

/// Shows how much was written, not what.
impl fmt::Debug for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printed")
            .field("attempt", &self.attempt)
            .field("stream", &self.stream)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Bytes of one stream of one attempt, as they are kept. What came right after another may stand in
/// one chunk with it.
#[derive(Clone, PartialEq, Eq)]
pub struct OutputChunk {
    /// The attempt during which they came.
    pub attempt: u32,
    /// Where they were written to.
    pub stream: Stream,
    /// When the first of them came, at the latest.
    pub at: Timestamp,
    /// How many bytes the task had printed before, on both streams and in all attempts, whether
    /// they are kept or not.
    pub position: u64,
    /// How many of the bytes right before these are not kept: the task had reached its cap, or the
    /// place where output is kept has failed.
    pub cut: u64,
    /// The bytes, not necessarily whole lines nor UTF-8.
    pub bytes: Vec<u8>,
}

impl OutputChunk {
    /// The position after the last of the bytes.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.position.saturating_add(self.bytes.len() as u64)
    }
}

/// Shows how much was written, not what.
impl fmt::Debug for OutputChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputChunk")
            .field("attempt", &self.attempt)
            .field("stream", &self.stream)
            .field("position", &self.position)
            .field("cut", &self.cut)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Part of what is kept of a task's output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputPage {
    /// The chunks, in the order in which they came. None: nothing more has come so far.
    pub chunks: Vec<OutputChunk>,
    /// The position to read on from.
    pub next: u64,
}

impl OutputPage {
    /// How many bytes between the chunks, and before the first of them, are not kept.
    #[must_use]
    pub fn cut(&self) -> u64 {
        self.chunks.iter().fold(0, |cut, chunk| cut.saturating_add(chunk.cut))
    }
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
    /// The tasks of which output is kept cannot be listed.
    #[error("kept output cannot be looked through: {0}")]
    Unlisted(std::io::Error),
}

/// Keeps output apart from tasks, so that it can grow without weighing on them.
///
/// Each task has a cap. Up to it everything is kept; beyond it the beginning and the latest bytes,
/// and how many are missing between is told by the positions of the chunks. At most one attempt at
/// a time prints for a task, wherever it runs; any number of others may read meanwhile, in other
/// processes too.
///
/// Dropping a future of any of these methods leaves the store sound; what was to be done may have
/// happened in part.
#[async_trait]
pub trait OutputStore: Send + Sync + 'static {
    /// Takes what an attempt has printed, in the order of the calls. It returns when the bytes are
    /// taken, which holds up a fast command; they can be read a moment later, or at the latest
    /// after a [`flush`](Self::flush).
    ///
    /// # Errors
    /// Bytes could not be kept: these, or some that were taken before. They count as cut. Later
    /// calls may succeed again.
    async fn append(&self, task: &TaskId, printed: Printed<'_>) -> Result<(), OutputError>;

    /// The attempt prints no more. When this returns, all that is kept of it can be read, by other
    /// processes too.
    ///
    /// # Errors
    /// Some of it could not be kept.
    async fn flush(&self, task: &TaskId) -> Result<(), OutputError>;

    /// Reads from position `from`; 0 is the beginning. At most about `max` bytes, but at least one
    /// chunk if there is any. A task without output has an empty page.
    ///
    /// # Errors
    /// [`OutputError::Io`] if what is there cannot be read.
    async fn read(&self, task: &TaskId, from: u64, max: usize) -> Result<OutputPage, OutputError>;

    /// Returns when there may be something at position `from`. It need not notice what other
    /// processes print, so callers also look by themselves from time to time. Cancel safe.
    async fn grown(&self, task: &TaskId, from: u64);

    /// Removes all output of a task. Removing what is not there is fine.
    ///
    /// # Errors
    /// [`OutputError::Io`] if some of it is still there.
    async fn remove(&self, task: &TaskId) -> Result<(), OutputError>;

    /// Tasks of which output is kept that has not grown since before `before`, at most `max`. There
    /// may be more of them; repeated calls come around to all. Tasks that were removed long ago are
    /// found by this.
    ///
    /// # Errors
    /// [`OutputError::Unlisted`].
    async fn untouched(&self, before: Timestamp, max: usize) -> Result<Vec<TaskId>, OutputError>;
}

/// Takes what one attempt prints.
#[async_trait]
pub trait OutputTaker: Send + Sync + 'static {
    /// Takes bytes, in the order of the calls. Returns when the next ones may come.
    async fn take(&self, stream: Stream, bytes: &[u8]);
}

/// Drops what is printed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOutput;

#[async_trait]
impl OutputTaker for NoOutput {
    async fn take(&self, _stream: Stream, _bytes: &[u8]) {}
}
