//! Who knows what time it is.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use crate::timer::{Sleep, Timer};
use crate::timestamp::Timestamp;

/// Tells the time. Everything in loom asks a clock, so that a test can be the one who answers.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A step back of the wall clock up to this long is hidden by [`SystemClock`].
const STEP_BACK_HIDDEN: Duration = Duration::from_secs(1);

/// The wall clock of this machine.
///
/// Within one `SystemClock` time does not go back by the small steps with which a machine corrects
/// its clock. A larger step back is followed: a clock that stood still until the old time came again
/// would hold up everything that waits for a due time.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicI64,
}

impl SystemClock {
    /// A clock that reads the machine's.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
        let read = Timestamp::from(SystemTime::now());
        let latest = Timestamp::from_micros(self.latest.load(Ordering::Relaxed));
        if read < latest && latest.since(read) <= STEP_BACK_HIDDEN {
            return latest;
        }
        self.latest.store(read.as_micros(), Ordering::Relaxed);
        read
    }
}

/// A clock that stands still until a test moves it, and the [`Timer`] that belongs to it.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use loom_deps::{Clock, FakeClock, Timer, Timestamp};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let clock = Arc::new(FakeClock::at(Timestamp::from_micros(0)));
/// let nap = clock.sleep_until(Timestamp::from_micros(1_000_000));
/// clock.advance(Duration::from_secs(1));
/// nap.await; // returns at once: the moment has come
/// # });
/// ```
#[derive(Debug)]
pub struct FakeClock {
    state: Mutex<FakeState>,
}

#[derive(Debug)]
struct FakeState {
    now: Timestamp,
    sleepers: Vec<(Timestamp, oneshot::Sender<()>)>,
}

impl FakeClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { state: Mutex::new(FakeState { now, sleepers: Vec::new() }) }
    }

    /// Moves the clock forward and wakes whoever slept until a moment that has now come.
    pub fn advance(&self, by: Duration) {
        let now = self.now().saturating_add(by);
        self.set(now);
    }

    /// Sets the clock, also back.
    pub fn set(&self, now: Timestamp) {
        let woken = {
            let mut state = self.lock();
            state.now = now;
            let (due, later) = std::mem::take(&mut state.sleepers)
                .into_iter()
                .partition::<Vec<_>, _>(|(until, _)| *until <= now);
            state.sleepers = later;
            due
        };
        for (_, sleeper) in woken {
            // A sleeper that gave up waiting is no concern of the clock's.
            let _ = sleeper.send(());
        }
    }

    /// The earliest moment that somebody sleeps until, if anybody sleeps.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let mut state = self.lock();
        state.sleepers.retain(|(_, sleeper)| !sleeper.is_closed());
        state.sleepers.iter().map(|(until, _)| *until).min()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, FakeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for FakeClock {
    /// A clock at 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::at(Timestamp::from_micros(1_767_225_600_000_000))
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }
}

impl Timer for FakeClock {
    fn sleep_until(&self, until: Timestamp) -> Sleep {
        let mut state = self.lock();
        if until <= state.now {
            return Box::pin(std::future::ready(()));
        }
        let (sleeper, woken) = oneshot::channel();
        state.sleepers.retain(|(_, sleeper)| !sleeper.is_closed());
        state.sleepers.push((until, sleeper));
        Box::pin(async move {
            // The sender only goes away with the clock; then nothing will ever be due.
            if woken.await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}
