//! The timer of production, under tokio's paused time.

use std::sync::Arc;
use std::time::Duration;

use loom_deps::{Clock, FakeClock, SystemClock, SystemTimer, Timer, Timestamp};
use tokio::time::Instant;

/// A clock that goes as tokio's does, so that paused time moves both.
#[derive(Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0).saturating_add(self.0.elapsed())
    }
}

#[tokio::test(start_paused = true)]
async fn it_sleeps_until_the_moment_and_no_longer() {
    let start = Instant::now();
    let timer = SystemTimer::new(Arc::new(TokioClock(start)));
    for seconds in [1, 29, 30, 31, 100_000] {
        let until = Timestamp::from_micros(seconds * 1_000_000);
        timer.sleep_until(until).await;
        let slept = start.elapsed();
        let expected = Duration::from_secs(seconds.unsigned_abs());
        assert!(slept >= expected && slept <= expected + Duration::from_millis(5), "{slept:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_moment_that_has_come_needs_no_sleep() {
    let start = Instant::now();
    let timer = SystemTimer::new(Arc::new(FakeClock::at(Timestamp::from_micros(50))));
    timer.sleep_until(Timestamp::from_micros(50)).await;
    timer.sleep_until(Timestamp::from_micros(-7)).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_forward_is_noticed_within_half_a_minute() {
    let clock = Arc::new(FakeClock::at(Timestamp::from_micros(0)));
    let timer = SystemTimer::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let start = Instant::now();
    let day = Duration::from_secs(24 * 60 * 60);
    let sleep = tokio::spawn(timer.sleep_until(clock.now().saturating_add(day)));
    tokio::task::yield_now().await;
    clock.advance(day);
    sleep.await.unwrap();
    assert!(start.elapsed() <= Duration::from_secs(31), "{:?}", start.elapsed());
}

#[tokio::test]
async fn it_wakes_under_the_clock_of_the_machine() {
    let clock = Arc::new(SystemClock::new());
    let until = clock.now().saturating_add(Duration::from_millis(5));
    let timer = SystemTimer::new(Arc::clone(&clock) as Arc<dyn Clock>);
    timer.sleep_until(until).await;
    assert!(clock.now() >= until, "it never wakes too early");
}
