//! Telling a test that something has happened.

use tokio::sync::watch;

/// Counts how often something has happened, and lets others wait for it. Clones share the count.
///
/// ```
/// use loom_testkit::Signal;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let seen = Signal::new();
/// let told = seen.clone();
/// let callback = move || told.raise();
/// callback();
/// callback();
/// seen.times(2).await; // returns at once: it has happened twice
/// assert_eq!(seen.count(), 2);
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Signal(watch::Sender<u64>);

impl Signal {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says that it has happened, once more.
    pub fn raise(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// How often it has happened.
    #[must_use]
    pub fn count(&self) -> u64 {
        *self.0.borrow()
    }

    /// Returns when it has happened at least once. Cancel safe.
    pub async fn wait(&self) {
        self.times(1).await;
    }

    /// Returns when it has happened at least `count` times in all. Cancel safe.
    pub async fn times(&self, count: u64) {
        // The sender that could go away is the one borrowed here.
        let _ = self.0.subscribe().wait_for(|seen| *seen >= count).await;
    }
}
