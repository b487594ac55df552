//! The clock and the timer that a run goes by.

use std::sync::Arc;
use std::time::Duration;

use loom_deps::{Clock, SystemClock, SystemTimer, Timer, Timestamp};

/// A clock and the timer that belongs to it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Time {
    clock: Arc<dyn Clock>,
    timer: Arc<dyn Timer>,
}

impl Time {
    /// Puts a clock and its timer together.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, timer: Arc<dyn Timer>) -> Self {
        Self { clock, timer }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns after `duration`. Cancel safe.
    pub async fn sleep(&self, duration: Duration) {
        let until = self.now().saturating_add(duration);
        self.timer.sleep_until(until).await;
    }
}

impl Default for Time {
    /// The time of this machine.
    fn default() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let timer = Arc::new(SystemTimer::new(Arc::clone(&clock)));
        Self::new(clock, timer)
    }
}
