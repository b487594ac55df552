//! Who waits for the end of which task.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use loom_core::TaskId;
use tokio::sync::oneshot;

use crate::context::Context;

/// How many tasks are looked up at once when another process has changed something.
const LOOK_MAX: usize = 1000;

/// Those who wait, by task.
#[derive(Default)]
pub(crate) struct Waiters {
    waiting: Mutex<HashMap<TaskId, Vec<oneshot::Sender<()>>>>,
}

/// Somebody who waits for the end of one task; no longer, when dropped.
pub(crate) struct Waiter<'a> {
    waiters: &'a Waiters,
    task: &'a TaskId,
    ended: Option<oneshot::Receiver<()>>,
}

impl Waiters {
    /// From now on the end of `task` is noticed.
    pub(crate) fn enlist<'a>(&'a self, task: &'a TaskId) -> Waiter<'a> {
        let (sender, ended) = oneshot::channel();
        self.lock().entry(task.clone()).or_default().push(sender);
        Waiter { waiters: self, task, ended: Some(ended) }
    }

    /// The end of `task` is durable.
    pub(crate) fn ended(&self, task: &TaskId) {
        // Sending to somebody who has stopped waiting is fine.
        for waiting in self.lock().remove(task).unwrap_or_default() {
            let _ = waiting.send(());
        }
    }

    /// Wakes everybody: nothing more will be noticed here.
    pub(crate) fn end_all(&self) {
        self.lock().clear();
    }

    /// Looks whether tasks that are waited for and do not run here have ended elsewhere.
    pub(crate) async fn look_elsewhere(&self, cx: &Context) {
        let waited_for: Vec<TaskId> = self.lock().keys().cloned().collect();
        let elsewhere: Vec<TaskId> =
            waited_for.into_iter().filter(|task| !cx.dispatch.runs(task)).collect();
        for ids in elsewhere.chunks(LOOK_MAX) {
            let Ok(tasks) = cx.store.get(ids).await else {
                return;
            };
            for task in tasks.iter().filter(|task| task.status.is_terminal()) {
                self.ended(&task.id);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TaskId, Vec<oneshot::Sender<()>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter<'_> {
    /// Returns when the task has ended, or nothing more will be noticed.
    pub(crate) async fn ended(&mut self) {
        if let Some(ended) = self.ended.take() {
            // An error means the sender is gone: then the caller looks for itself.
            let _ = ended.await;
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        drop(self.ended.take());
        let mut waiting = self.waiters.lock();
        if let Some(senders) = waiting.get_mut(self.task) {
            senders.retain(|sender| !sender.is_closed());
            if senders.is_empty() {
                waiting.remove(self.task);
            }
        }
    }
}
