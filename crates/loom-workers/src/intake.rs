//! Taking in what a command writes, while it writes it.

use std::fmt;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use loom_core::limits::RESULT_BYTES_MAX;
use loom_core::{Stream, Task, TaskContext};

use crate::capture::Capture;
use crate::lines::Lines;

/// How much of standard error is kept as evidence; beyond it head and tail stay.
pub const STDERR_BYTES_MAX: usize = 64 << 10;

/// Gets what commands write, byte for byte, as it comes.
#[async_trait]
pub trait OutputSink: Send + Sync + 'static {
    /// Takes bytes that the command of `task` wrote to `stream`.
    ///
    /// The bytes of one stream come in order, and the next ones only when this has returned: a sink
    /// that takes its time holds up the command, as a slow reader of a pipe does. The two streams do
    /// not wait for each other, and the end of a command that is told to stop waits for no sink:
    /// the call may be dropped.
    ///
    /// # Errors
    /// After an error the sink gets nothing more of this stream; the command goes on.
    async fn write(&self, task: &Task, stream: Stream, bytes: &[u8]) -> io::Result<()>;
}

/// Takes in what a command writes to one of its two outputs: keeps it within a bound, reports its
/// lines as progress, has it kept as output of the task, and hands it on to an [`OutputSink`] if
/// there is one.
pub struct Intake<'a> {
    stream: Stream,
    task: &'a Task,
    cx: &'a TaskContext,
    capture: Capture,
    lines: Lines,
    sink: Option<Arc<dyn OutputSink>>,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(
        stream: Stream,
        task: &'a Task,
        cx: &'a TaskContext,
        sink: Option<Arc<dyn OutputSink>>,
    ) -> Self {
        let max = match stream {
            Stream::Stdout => RESULT_BYTES_MAX,
            _ => STDERR_BYTES_MAX,
        };
        Self { stream, task, cx, capture: Capture::new(max), lines: Lines::new(), sink }
    }

    /// Takes in more bytes. Returns when they are taken as output of the task, and by the sink, if
    /// there is one.
    ///
    /// If this is dropped midway the bytes are part of the result, and the others may miss them.
    pub async fn take(&mut self, bytes: &[u8]) {
        let progress = self.cx.progress_sink();
        self.capture.push(bytes);
        if progress.wants_each() {
            self.lines.push(bytes, |line| progress.report(line));
        } else {
            self.lines.push_many(bytes, |count, last| progress.report_many(count, last));
        }
        self.cx.print(self.stream, bytes).await;
        let Some(sink) = &self.sink else { return };
        if sink.write(self.task, self.stream, bytes).await.is_err() {
            self.sink = None;
        }
    }

    /// Reports the last line and gives what was kept.
    pub(crate) fn finish(self) -> Capture {
        self.lines.finish(|line| self.cx.progress(line));
        self.capture
    }
}

impl fmt::Debug for Intake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake")
            .field("stream", &self.stream)
            .field("bytes", &self.capture.total())
            .finish_non_exhaustive()
    }
}
