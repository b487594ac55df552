//! Telling an attempt to stop.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

/// Why an attempt is told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CancelReason {
    /// Somebody asked for the task's end.
    Requested,
    /// The attempt took longer than its timeout.
    Timeout,
    /// The attempt went without a sign of life for longer than its idle timeout.
    Idle,
    /// The task took longer than its deadline.
    Deadline,
    /// The engine shuts down.
    Shutdown,
    /// The task is no longer in the hands of this instance.
    Lost,
}

/// Tells an attempt to stop, and why. Clones speak of the same attempt.
///
/// ```
/// use loom_core::{CancelReason, Cancellation};
///
/// let cancellation = Cancellation::new();
/// cancellation.cancel(CancelReason::Timeout);
/// cancellation.cancel(CancelReason::Requested); // too late: the first reason stays
/// assert_eq!(cancellation.reason(), Some(CancelReason::Timeout));
/// ```
#[derive(Clone, Default)]
pub struct Cancellation(Arc<State>);

#[derive(Default)]
struct State {
    reason: OnceLock<CancelReason>,
    told: Notify,
}

impl Cancellation {
    /// Nobody has asked for anything yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells the attempt to stop. Only the first reason counts.
    pub fn cancel(&self, reason: CancelReason) {
        // A second reason is dropped on purpose.
        if self.0.reason.set(reason).is_ok() {
            self.0.told.notify_waiters();
        }
    }

    /// Why the attempt was told to stop, if it was.
    #[must_use]
    pub fn reason(&self) -> Option<CancelReason> {
        self.0.reason.get().copied()
    }

    /// Whether the attempt was told to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.reason.get().is_some()
    }

    /// Returns when the attempt is told to stop. Cancel safe.
    pub async fn cancelled(&self) {
        // In line before it looks, so that nothing is missed in between.
        let told = self.0.told.notified();
        if !self.is_cancelled() {
            told.await;
        }
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancellation").field(&self.reason()).finish()
    }
}
