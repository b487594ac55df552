//! How many attempts may run at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A fixed number of places for attempts.
#[derive(Clone)]
pub(crate) struct Slots(Arc<Places>);

struct Places {
    max: usize,
    taken: AtomicUsize,
    freed: Notify,
}

impl Slots {
    pub(crate) fn new(max: usize) -> Self {
        Self(Arc::new(Places { max, taken: AtomicUsize::new(0), freed: Notify::new() }))
    }

    /// How many places are free. Only the writer takes places, so they do not become fewer behind
    /// its back.
    pub(crate) fn free(&self) -> usize {
        self.0.max.saturating_sub(self.taken())
    }

    pub(crate) fn taken(&self) -> usize {
        self.0.taken.load(Ordering::Acquire)
    }

    /// Takes a place, until the answer is dropped.
    pub(crate) fn take(&self) -> Slot {
        self.0.taken.fetch_add(1, Ordering::AcqRel);
        Slot(Arc::clone(&self.0))
    }

    /// Returns when no place is taken.
    pub(crate) async fn all_free(&self) {
        loop {
            let freed = self.0.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if self.taken() == 0 {
                return;
            }
            freed.await;
        }
    }
}

/// A taken place.
pub(crate) struct Slot(Arc<Places>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
        self.0.freed.notify_waiters();
    }
}
