//! Telling whoever wants to know what has happened.

mod callbacks;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use loom_core::TaskEvent;
use loom_core::limits::EVENT_STREAM_MAX;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use self::callbacks::Callbacks;
pub use self::callbacks::Subscription;
use crate::record::Log;

/// The events of an engine. Cheap to clone.
///
/// An event is about something already durable, in the order of the commits. Nothing of the past is
/// told.
#[derive(Clone)]
pub struct Events {
    bus: Arc<Bus>,
}

impl Events {
    pub(crate) const fn new(bus: Arc<Bus>) -> Self {
        Self { bus }
    }

    /// Calls `callback` with each event from now on, until the answer is dropped or unsubscribed.
    ///
    /// All callbacks are called on one thread of their own, each event in the order in which they
    /// subscribed. A callback that panics is logged and called again with the next event. Every
    /// call of the engine works from inside a callback, by way of a runtime handle.
    pub fn subscribe(&self, callback: impl Fn(&TaskEvent) + Send + Sync + 'static) -> Subscription {
        self.bus.callbacks.subscribe(Arc::new(callback))
    }

    /// A stream of the events from now on. It holds 4,096 that have not been read; a reader that is
    /// slower than that learns how many it has missed, and slows nothing down.
    #[must_use]
    pub fn stream(&self) -> EventStream {
        EventStream { receiver: self.bus.listen() }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

/// A reader of events.
#[derive(Debug)]
pub struct EventStream {
    receiver: broadcast::Receiver<TaskEvent>,
}

/// The reader was too slow and has missed this many events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged(pub u64);

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events were missed, for they came faster than they were read", self.0)
    }
}

impl std::error::Error for Lagged {}

impl EventStream {
    /// The next event; `None` when the engine has closed and all has been read. Cancel safe.
    ///
    /// # Errors
    /// [`Lagged`] where events were missed; reading goes on after the gap.
    pub async fn next(&mut self) -> Option<Result<TaskEvent, Lagged>> {
        match self.receiver.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(missed)) => Some(Err(Lagged(missed))),
            Err(RecvError::Closed) => None,
        }
    }
}

/// Where the recorder hands events to.
pub(crate) struct Bus {
    /// Gone once the engine has closed, so that streams end.
    stream: RwLock<Option<broadcast::Sender<TaskEvent>>>,
    callbacks: Arc<Callbacks>,
}

impl Bus {
    pub(crate) fn new(log: Log) -> Self {
        let (stream, _) = broadcast::channel(EVENT_STREAM_MAX);
        let stream = RwLock::new(Some(stream));
        Self { stream, callbacks: Arc::new(Callbacks::new(log)) }
    }

    fn listen(&self) -> broadcast::Receiver<TaskEvent> {
        let stream = self.stream.read().unwrap_or_else(PoisonError::into_inner);
        stream.as_ref().map_or_else(|| broadcast::channel(1).1, broadcast::Sender::subscribe)
    }

    /// Whether anybody wants events at all.
    pub(crate) fn is_heard(&self) -> bool {
        let stream = self.stream.read().unwrap_or_else(PoisonError::into_inner);
        stream.as_ref().is_some_and(|stream| stream.receiver_count() > 0) || self.callbacks.any()
    }

    /// Passes an event on. Never waits.
    pub(crate) fn publish(&self, event: TaskEvent) {
        if self.callbacks.any() {
            self.callbacks.push(event.clone());
        }
        let stream = self.stream.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = &*stream {
            // Nobody listening is fine.
            let _ = stream.send(event);
        }
    }

    /// Returns when the callbacks have room for more: what makes new work waits for that.
    pub(crate) async fn room(&self) {
        self.callbacks.room().await;
    }

    /// Returns when the callbacks have been called with the event of this number.
    pub(crate) async fn delivered(&self, sequence: u64) {
        self.callbacks.delivered(sequence).await;
    }

    /// Says that a callback has not returned within `wait`; it is not waited for until it does.
    pub(crate) fn stuck(&self, wait: Duration) {
        self.callbacks.stuck(wait);
    }

    /// Nothing more will happen: what has not been told yet is told, then streams and callbacks end.
    pub(crate) fn close(&self) {
        self.stream.write().unwrap_or_else(PoisonError::into_inner).take();
        self.callbacks.close();
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.callbacks.close();
    }
}
