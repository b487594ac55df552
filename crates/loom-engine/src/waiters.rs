//! Who waits for the end of which task.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loom_core::{Error, Result, Task, TaskId};
use tokio::sync::oneshot;

use crate::context::Context;
use crate::seat::Seat;

/// How many tasks are looked up at once when another process has changed something. They are read
/// whole, with their results.
const LOOK_MAX: usize = 100;

/// Waits for the end of a task, wherever it runs, and returns it as it then is. Calls `leave` each
/// time before it waits.
pub(crate) async fn end_of(cx: &Context, id: &TaskId, leave: impl Fn()) -> Result<Task> {
    seated_end_of(cx, id, None, leave).await
}

/// The same for an attempt, which will want a slot when the task has ended.
pub(crate) async fn seated_end_of(
    cx: &Context,
    id: &TaskId,
    seat: Option<&Arc<Seat>>,
    leave: impl Fn(),
) -> Result<Task> {
    loop {
        // Enlisted before the task is read, so that no end falls between the two.
        let mut waiter = cx.waiters.enlist(id, seat.cloned());
        let task = cx.task(id).await?;
        if task.status.is_terminal() {
            return Ok(task);
        }
        if cx.closing.has_left() {
            return Err(Error::Closed);
        }
        leave();
        waiter.ended().await;
    }
}

/// Those who wait, by task.
#[derive(Default)]
pub(crate) struct Waiters {
    waiting: Mutex<HashMap<TaskId, Vec<Enlisted>>>,
}

struct Enlisted {
    told: oneshot::Sender<()>,
    seat: Option<Arc<Seat>>,
}

/// Somebody who waits for the end of one task; no longer, when dropped.
pub(crate) struct Waiter<'a> {
    waiters: &'a Waiters,
    task: &'a TaskId,
    ended: Option<oneshot::Receiver<()>>,
}

impl Waiters {
    /// From now on the end of `task` is noticed.
    fn enlist<'a>(&'a self, task: &'a TaskId, seat: Option<Arc<Seat>>) -> Waiter<'a> {
        let (told, ended) = oneshot::channel();
        self.lock().entry(task.clone()).or_default().push(Enlisted { told, seat });
        Waiter { waiters: self, task, ended: Some(ended) }
    }

    /// The end of `task` is durable.
    pub(crate) fn ended(&self, task: &TaskId) {
        // Sending to somebody who has stopped waiting is fine.
        for waiting in self.lock().remove(task).unwrap_or_default() {
            let _ = waiting.told.send(());
        }
    }

    /// The attempts here that wait for `task`. Empty, if it has ended.
    pub(crate) fn seats(&self, task: &TaskId) -> Vec<Arc<Seat>> {
        let waiting = self.lock();
        let enlisted = waiting.get(task).into_iter().flatten();
        enlisted.filter_map(|enlisted| enlisted.seat.clone()).collect()
    }

    /// Wakes everybody: nothing more will be noticed here.
    pub(crate) fn end_all(&self) {
        self.lock().clear();
    }

    /// Looks whether tasks that are waited for and do not run here have ended elsewhere. Says
    /// whether all of them could be read.
    pub(crate) async fn look_elsewhere(&self, cx: &Context) -> bool {
        let waited_for: Vec<TaskId> = self.lock().keys().cloned().collect();
        let elsewhere: Vec<TaskId> =
            waited_for.into_iter().filter(|task| !cx.dispatch.runs(task)).collect();
        for ids in elsewhere.chunks(LOOK_MAX) {
            let Ok(tasks) = cx.store.get(ids).await else {
                return false;
            };
            for task in tasks.iter().filter(|task| task.status.is_terminal()) {
                self.ended(&task.id);
            }
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TaskId, Vec<Enlisted>>> {
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
        if let Some(enlisted) = waiting.get_mut(self.task) {
            enlisted.retain(|enlisted| !enlisted.told.is_closed());
            if enlisted.is_empty() {
                waiting.remove(self.task);
            }
        }
    }
}
