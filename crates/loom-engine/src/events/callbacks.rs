//! Callbacks, on one thread of their own.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use loom_core::TaskEvent;
use loom_core::limits::CALLBACK_QUEUE_MAX;
use tokio::sync::watch;

use crate::panics::caught;
use crate::record::Log;

/// How long `unsubscribe` waits for a call that has just begun to return.
const CALL_WAIT_MAX: Duration = Duration::from_secs(1);

type Callback = Arc<dyn Fn(&TaskEvent) + Send + Sync>;

pub(super) struct Callbacks {
    state: Mutex<State>,
    /// Something came into the queue, a call returned, or the end has come.
    moved: Condvar,
    progress: watch::Sender<Delivery>,
    log: Log,
}

#[derive(Default)]
struct State {
    queue: VecDeque<TaskEvent>,
    subscribers: Vec<Subscriber>,
    next_id: u64,
    /// The number of the event that came into the queue last.
    pushed: u64,
    /// The subscriber whose callback is being called.
    calling: Option<u64>,
    thread: Option<ThreadId>,
    closed: bool,
}

struct Subscriber {
    id: u64,
    /// The number of the event that had come into the queue last: it and those before are of the
    /// past.
    since: u64,
    callback: Callback,
}

/// How far the callbacks have come.
#[derive(Clone, Copy, Default)]
struct Delivery {
    sequence: u64,
    waiting: usize,
    /// A callback has not returned for long; nobody waits for it.
    stuck: bool,
}

impl Callbacks {
    pub(super) fn new(log: Log) -> Self {
        Self {
            state: Mutex::default(),
            moved: Condvar::new(),
            progress: watch::Sender::default(),
            log,
        }
    }

    pub(super) fn any(&self) -> bool {
        !self.lock().subscribers.is_empty()
    }

    pub(super) fn subscribe(self: &Arc<Self>, callback: Callback) -> Subscription {
        let mut state = self.lock();
        let (id, since) = (state.next_id, state.pushed);
        state.next_id += 1;
        state.subscribers.push(Subscriber { id, since, callback });
        if state.thread.is_none() {
            self.spawn(&mut state);
        }
        Subscription { callbacks: Arc::clone(self), id }
    }

    fn spawn(self: &Arc<Self>, state: &mut State) {
        let callbacks = Arc::clone(self);
        let spawned = thread::Builder::new()
            .name("loom-events".to_owned())
            .spawn(move || callbacks.deliver());
        match spawned {
            Ok(handle) => state.thread = Some(handle.thread().id()),
            Err(error) => self.log.no_callback_thread(&error),
        }
    }

    pub(super) fn push(&self, event: TaskEvent) {
        let mut state = self.lock();
        if state.thread.is_none() {
            return;
        }
        state.pushed = event.sequence;
        state.queue.push_back(event);
        let waiting = state.queue.len();
        // With the lock, so that no older number comes after a newer one.
        self.progress.send_modify(|progress| progress.waiting = waiting);
        drop(state);
        self.moved.notify_all();
    }

    pub(super) async fn room(&self) {
        self.until(|delivery| delivery.waiting < CALLBACK_QUEUE_MAX).await;
    }

    pub(super) async fn delivered(&self, sequence: u64) {
        // What happened before anybody subscribed is never delivered.
        let last = self.lock().pushed.min(sequence);
        self.until(|delivery| delivery.sequence >= last || delivery.stuck).await;
    }

    /// Waiting on the thread of the callbacks for the callbacks would be for ever.
    async fn until(&self, reached: impl FnMut(&Delivery) -> bool) {
        if self.lock().thread != Some(thread::current().id()) {
            // The sender is part of `self` and so cannot be gone.
            let _ = self.progress.subscribe().wait_for(reached).await;
        }
    }

    pub(super) fn stuck(&self, wait: Duration) {
        let first = self
            .progress
            .send_if_modified(|progress| !std::mem::replace(&mut progress.stuck, true));
        if first {
            self.log.callback_stuck(wait);
        }
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.moved.notify_all();
    }

    /// The thread's work. What the callbacks hold is let go of at the end: it may be the engine.
    fn deliver(&self) {
        while let Some(event) = self.next() {
            for id in self.subscribed_before(&event) {
                self.call(id, &event);
            }
            let (state, sequence) = (self.lock(), event.sequence);
            let waiting = state.queue.len();
            self.progress.send_replace(Delivery { sequence, waiting, stuck: false });
        }
        let subscribers = std::mem::take(&mut self.lock().subscribers);
        drop(subscribers);
    }

    fn subscribed_before(&self, event: &TaskEvent) -> Vec<u64> {
        let state = self.lock();
        let before = state.subscribers.iter().filter(|it| it.since < event.sequence);
        before.map(|subscriber| subscriber.id).collect()
    }

    fn next(&self) -> Option<TaskEvent> {
        let idle = |state: &mut State| state.queue.is_empty() && !state.closed;
        let state = self.moved.wait_while(self.lock(), idle);
        state.unwrap_or_else(PoisonError::into_inner).queue.pop_front()
    }

    fn call(&self, id: u64, event: &TaskEvent) {
        let callback = {
            let mut state = self.lock();
            let Some(subscriber) = state.subscribers.iter().find(|it| it.id == id) else {
                return;
            };
            let callback = Arc::clone(&subscriber.callback);
            state.calling = Some(id);
            callback
        };
        if caught(|| callback(event)).is_err() {
            self.log.callback_panicked(&event.task_id);
        }
        self.lock().calling = None;
        self.moved.notify_all();
    }

    fn unsubscribe(&self, id: u64) {
        let mut state = self.lock();
        let own_thread = state.thread == Some(thread::current().id());
        let leaves = |subscriber: &mut Subscriber| subscriber.id == id;
        // Dropped without the lock: a callback may own another subscription.
        let left: Vec<_> = state.subscribers.extract_if(.., leaves).collect();
        if !own_thread {
            // A call that has been let through counts as begun once it is seen to be.
            let calling = |state: &mut State| state.calling == Some(id);
            drop(self.moved.wait_timeout_while(state, CALL_WAIT_MAX, calling));
        } else {
            drop(state);
        }
        drop(left);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A callback's standing. Dropping it unsubscribes.
#[must_use = "dropping it unsubscribes"]
pub struct Subscription {
    callbacks: Arc<Callbacks>,
    id: u64,
}

impl Subscription {
    /// Stops the calls: when this returns, none will begin. Waits up to a second for one that has
    /// begun, unless it is called from a callback. Safe to repeat.
    pub fn unsubscribe(&self) {
        self.callbacks.unsubscribe(self.id);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.unsubscribe();
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("id", &self.id).finish_non_exhaustive()
    }
}
