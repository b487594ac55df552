//! Letting time pass.

use std::convert::Infallible;
use std::future::Future;

use loom_deps::FakeClock;

/// Moves `clock` to the next moment that anybody waits for, again and again, until `future` is done.
/// An hour of backoff is over in no time, and nothing happens before its moment.
///
/// A future that waits for something other than time may never be done: [`within`](crate::within)
/// bounds that.
///
/// ```
/// use std::time::Duration;
/// use loom_deps::{Clock, FakeClock, Timer};
/// use loom_testkit::as_time_passes;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let clock = FakeClock::default();
/// let begun = clock.now();
/// let nap = clock.sleep_until(begun.saturating_add(Duration::from_secs(3600)));
/// as_time_passes(&clock, nap).await;
/// assert_eq!(clock.now().since(begun), Duration::from_secs(3600));
/// # });
/// ```
pub fn as_time_passes<F: Future>(clock: &FakeClock, future: F) -> impl Future<Output = F::Output> {
    // What a test waits for may be large, and passes through several hands.
    let future = Box::pin(future);
    async move {
        tokio::select! {
            biased;
            output = future => output,
            never = pass(clock) => match never {},
        }
    }
}

async fn pass(clock: &FakeClock) -> Infallible {
    loop {
        if let Some(next) = clock.next_wake() {
            clock.set(next);
        }
        // Whoever has woken goes on, and perhaps waits for a moment before the next.
        tokio::task::yield_now().await;
    }
}
