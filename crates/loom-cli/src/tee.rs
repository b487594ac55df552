//! The command's output, passed on as it comes.

use std::io;

use async_trait::async_trait;
use loom::workers::OutputSink;
use loom::{Stream, Task};
use tokio::io::{AsyncWriteExt, Stderr, Stdout, stderr, stdout};
use tokio::sync::{Mutex, Notify};

/// Writes a command's bytes, as they are, to our own standard output and error.
pub(crate) struct Passed {
    out: Mutex<Stdout>,
    err: Mutex<Stderr>,
    broken: Notify,
}

impl Passed {
    pub(crate) fn new() -> Self {
        Self { out: Mutex::new(stdout()), err: Mutex::new(stderr()), broken: Notify::new() }
    }

    /// Returns when whoever read our output has gone away.
    pub(crate) async fn broken(&self) {
        self.broken.notified().await;
    }
}

#[async_trait]
impl OutputSink for Passed {
    async fn write(&self, _task: &Task, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let written = match stream {
            Stream::Stderr => pass_on(&mut *self.err.lock().await, bytes).await,
            _ => pass_on(&mut *self.out.lock().await, bytes).await,
        };
        if written.is_err() {
            self.broken.notify_one();
        }
        written
    }
}

async fn pass_on(to: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}
