//! Waiting for something that must happen.

use std::future::Future;
use std::panic::Location;
use std::time::Duration;

/// Waits for `future`, and panics if it takes longer than `limit`, so that a test which waits in
/// vain says so and where. Needs a tokio runtime with time.
///
/// ```
/// use std::time::Duration;
/// use loom_testkit::{Signal, within};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let signal = Signal::new();
/// signal.raise();
/// within(Duration::from_secs(5), signal.wait()).await;
/// # });
/// ```
#[track_caller]
pub fn within<F: Future>(limit: Duration, future: F) -> impl Future<Output = F::Output> {
    let caller = Location::caller();
    // What a test waits for may be large, and passes through several hands.
    let future = Box::pin(future);
    async move {
        #[expect(
            clippy::disallowed_methods,
            reason = "this bounds what a test waits for in real time; nothing depends on its length"
        )]
        let outcome = tokio::time::timeout(limit, future).await;
        #[expect(clippy::panic, reason = "a test that waits in vain has failed")]
        let Ok(value) = outcome else {
            panic!("{caller}: waited {limit:?} for something that did not happen")
        };
        value
    }
}
