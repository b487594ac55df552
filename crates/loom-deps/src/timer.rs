//! Waiting for a moment to come.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::timestamp::Timestamp;

/// A wait that ends when its moment has come. Cancel safe: drop it to stop waiting.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Waits until a moment of its clock.
pub trait Timer: fmt::Debug + Send + Sync + 'static {
    /// Returns when the clock shows `until` or later; at once if it does already.
    fn sleep_until(&self, until: Timestamp) -> Sleep;
}

/// The longest that [`SystemTimer`] sleeps without looking at its clock again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Waits on tokio's timer, for a moment of the given clock.
///
/// It looks at the clock at least every 30 seconds, so that a suspended laptop or a clock that was
/// set delays a wake-up by no more than that.
#[derive(Clone, Debug)]
pub struct SystemTimer {
    clock: Arc<dyn Clock>,
}

impl SystemTimer {
    /// A timer for moments of `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl Timer for SystemTimer {
    fn sleep_until(&self, until: Timestamp) -> Sleep {
        let clock = Arc::clone(&self.clock);
        Box::pin(async move {
            loop {
                let left = until.since(clock.now());
                if left.is_zero() {
                    return;
                }
                #[expect(clippy::disallowed_methods, reason = "this is the one place that sleeps")]
                tokio::time::sleep(left.min(LOOK_AGAIN)).await;
            }
        })
    }
}
