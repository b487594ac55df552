//! What tasks print: taken while they run, read whenever, removed with the task.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use loom_core::limits::OUTPUT_WAIT_MAX;
use loom_core::{
    Applied, Capability, OutputError, OutputPage, OutputStore, OutputTaker, Printed, Prune, Result,
    StoreError, Stream, Task, TaskId,
};
use loom_deps::Timestamp;
use tokio::sync::RwLock;

use crate::context::Context;
use crate::engine::{Engine, parse};
use crate::follow::Follow;
use crate::progress::Reports;

/// How many tasks whose rows may be gone are looked at when tasks are removed.
const STRAYS_MAX: usize = 100;

impl Engine {
    /// What a task of any engine has printed so far, to be read in parts. A task that is unknown
    /// has printed nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`](loom_core::Error::Invalid) for what cannot be an id.
    pub fn output(&self, id: impl AsRef<str>) -> Result<TaskOutput> {
        Ok(TaskOutput { task: parse(id.as_ref())?, store: self.cx().output.clone() })
    }

    /// What a task prints, from the beginning until it has ended, attempt after attempt, wherever it
    /// runs. Of a task that has ended it is all that is kept.
    ///
    /// A follower that is slow never slows the task: it reads what is kept, not what passes by.
    /// What another process prints is seen within a tenth of a second; beyond the task's cap the
    /// latest output is seen about four times a second.
    ///
    /// # Errors
    /// [`Error::Invalid`](loom_core::Error::Invalid) for what cannot be an id. What else goes wrong
    /// is said by the stream.
    pub fn follow(&self, id: impl AsRef<str>) -> Result<Follow> {
        self.follow_from(id, 0)
    }

    /// The same from a position on, such as [`OutputPage::next`] or the end of a chunk.
    ///
    /// # Errors
    /// As [`follow`](Engine::follow).
    pub fn follow_from(&self, id: impl AsRef<str>, position: u64) -> Result<Follow> {
        Ok(Follow::in_engine(Arc::clone(self.cx()), parse(id.as_ref())?, position))
    }

    /// Removes tasks of this engine that ended before a moment, the oldest first, at most `limit`,
    /// with their attempts and all that they printed. Returns how many. Tasks that have not ended
    /// are never removed.
    ///
    /// Looks at every task, and nothing else is written meanwhile: better often and little than
    /// seldom and much. Output whose task is gone, because a process died in the midst of this, is
    /// removed by a later call.
    ///
    /// # Errors
    /// [`Error::Store`](loom_core::Error::Store) if the store failed or cannot remove tasks. Output
    /// that cannot be removed is logged, and tried again by a later call.
    pub async fn prune(&self, completed_before: Timestamp, limit: u32) -> Result<u64> {
        let cx = self.cx();
        if !cx.store.capabilities().contains(&Capability::Prune) {
            return Err(StoreError::Unsupported(Capability::Prune).into());
        }
        let engine_name = Some(cx.name.clone());
        let prune = Prune { engine_name, completed_before, limit };
        let receipt = cx.writer.prune(prune, cx.now()).await?;
        let Applied::Pruned(removed) = receipt.applied else { return Ok(0) };
        if let Some(output) = &cx.output {
            for task in &removed {
                remove_output(cx, &**output, task).await;
            }
            // With more tasks to remove there is time for strays later.
            if removed.len() < limit.try_into().unwrap_or(usize::MAX) {
                remove_strays(cx, &**output, completed_before).await;
            }
        }
        Ok(removed.len() as u64)
    }
}

async fn remove_output(cx: &Context, output: &dyn OutputStore, task: &TaskId) {
    if let Err(error) = output.remove(task).await {
        cx.recorder.trouble("the output of a removed task is still there", &error);
    }
}

/// Removes output of tasks that are not there any more.
async fn remove_strays(cx: &Context, output: &dyn OutputStore, before: Timestamp) {
    let strays = match output.untouched(before, STRAYS_MAX).await {
        Ok(strays) => strays,
        Err(error) => return cx.recorder.trouble("output of removed tasks was not found", &error),
    };
    for task in strays {
        // One that cannot be read is there.
        if cx.store.get(std::slice::from_ref(&task)).await.is_ok_and(|found| found.is_empty()) {
            remove_output(cx, output, &task).await;
        }
    }
}

/// What a task has printed.
pub struct TaskOutput {
    task: TaskId,
    store: Option<Arc<dyn OutputStore>>,
}

impl TaskOutput {
    /// Reads from position `from`, 0 being the beginning, at most about `max` bytes, but at least
    /// one chunk if there is any. An empty page says that nothing more has come so far; read on at
    /// [`OutputPage::next`]. Cancel safe.
    ///
    /// # Errors
    /// [`Error::Output`](loom_core::Error::Output) if what is there cannot be read.
    pub async fn read(&self, from: u64, max: usize) -> Result<OutputPage> {
        match &self.store {
            Some(store) => Ok(store.read(&self.task, from, max).await?),
            None => Ok(OutputPage { chunks: Vec::new(), next: from }),
        }
    }
}

impl fmt::Debug for TaskOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskOutput").field("task", &self.task).finish_non_exhaustive()
    }
}

/// Takes what one attempt prints, until it has ended.
pub(crate) struct Printing {
    cx: Arc<Context>,
    task: Arc<Task>,
    reports: Arc<Reports>,
    is_open: RwLock<bool>,
    has_printed: AtomicBool,
    /// That output cannot be kept is said once.
    has_complained: AtomicBool,
}

impl Printing {
    pub(crate) fn new(cx: Arc<Context>, task: Arc<Task>, reports: Arc<Reports>) -> Self {
        let [has_printed, has_complained] = [false, false].map(AtomicBool::new);
        Self { cx, task, reports, is_open: RwLock::new(true), has_printed, has_complained }
    }

    /// The attempt has ended: what it has printed can be read when this returns, and nothing that
    /// it has left behind prints any more.
    pub(crate) async fn end(&self) {
        let kept = async {
            *self.is_open.write().await = false;
            match &self.cx.output {
                Some(store) if self.has_printed.load(Ordering::Acquire) => {
                    store.flush(&self.task.id).await
                }
                _ => Ok(()),
            }
        };
        match self.cx.within(OUTPUT_WAIT_MAX, kept).await {
            Some(Ok(())) => {}
            Some(Err(error)) => self.complain(&error),
            None => self.complain(&"it takes too long"),
        }
    }

    async fn append(&self, stream: Stream, bytes: &[u8]) -> Result<(), OutputError> {
        let is_open = self.is_open.read().await;
        let Some(store) = self.cx.output.as_ref().filter(|_| *is_open) else { return Ok(()) };
        self.has_printed.store(true, Ordering::Release);
        let printed = Printed { attempt: self.task.attempt, stream, at: self.cx.now(), bytes };
        store.append(&self.task.id, printed).await
    }

    fn complain(&self, error: &dyn fmt::Display) {
        if !self.has_complained.swap(true, Ordering::AcqRel) {
            self.cx.recorder.trouble("some of the output of a task is not kept", error);
        }
    }
}

#[async_trait]
impl OutputTaker for Printing {
    async fn take(&self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.reports.is_alive();
        if let Err(error) = self.append(stream, bytes).await {
            self.complain(&error);
        }
    }
}
