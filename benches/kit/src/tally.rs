//! Counting what is done, and waiting until all is.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Counts up to a number that can be waited for.
///
/// One addition a task: it costs what it measures as good as nothing.
#[derive(Debug)]
pub struct Tally {
    wanted: usize,
    done: AtomicUsize,
    all: Notify,
}

impl Tally {
    /// Nothing is done yet of what is `wanted`.
    #[must_use]
    pub fn new(wanted: usize) -> Self {
        Self { wanted, done: AtomicUsize::new(0), all: Notify::new() }
    }

    /// Counts one; whether it was the last.
    pub fn count(&self) -> bool {
        let last = self.done.fetch_add(1, Ordering::AcqRel) + 1 == self.wanted;
        if last {
            self.all.notify_one();
        }
        last
    }

    /// How many were counted.
    pub fn done(&self) -> usize {
        self.done.load(Ordering::Acquire)
    }

    /// Waits until all is done. One at a time may wait.
    pub async fn all(&self) {
        self.all.notified().await;
    }
}
