//! Clocks tell the time, and a fake one only the time that a test gave it.

use std::sync::Arc;
use std::time::Duration;

use loom_deps::{Clock, FakeClock, SystemClock, Timer, Timestamp};

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

#[test]
fn a_fake_clock_stands_still_until_it_is_moved() {
    let clock = FakeClock::at(at(100));
    assert_eq!((clock.now(), clock.now()), (at(100), at(100)));
    clock.advance(Duration::from_secs(5));
    assert_eq!(clock.now(), at(105));
    clock.set(at(50));
    assert_eq!(clock.now(), at(50), "a test can set it back");
}

#[test]
fn a_fake_clock_starts_at_a_known_moment() {
    assert_eq!(FakeClock::default().now().to_string(), "2026-01-01T00:00:00Z");
}

#[tokio::test]
async fn sleepers_of_a_fake_clock_wake_when_their_moment_has_come_and_not_before() {
    let clock = Arc::new(FakeClock::at(at(0)));
    let spawn = |seconds| {
        let sleep = clock.sleep_until(at(seconds));
        tokio::spawn(sleep)
    };
    let (early, late) = (spawn(10), spawn(20));
    assert_eq!(clock.next_wake(), Some(at(10)));
    clock.set(Timestamp::from_micros(9_999_999));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!early.is_finished(), "a microsecond is missing");
    clock.set(at(10));
    early.await.unwrap();
    assert!(!late.is_finished());
    assert_eq!(clock.next_wake(), Some(at(20)));
    clock.advance(Duration::from_secs(3600));
    late.await.unwrap();
    assert_eq!(clock.next_wake(), None);
}

#[tokio::test]
async fn a_sleep_until_a_moment_that_has_come_returns_at_once() {
    let clock = FakeClock::at(at(10));
    clock.sleep_until(at(10)).await;
    clock.sleep_until(at(3)).await;
    assert_eq!(clock.next_wake(), None);
}

#[tokio::test]
async fn a_sleeper_that_gave_up_is_forgotten() {
    let clock = FakeClock::at(at(0));
    let sleep = clock.sleep_until(at(10));
    let other = clock.sleep_until(at(20));
    drop(sleep);
    assert_eq!(clock.next_wake(), Some(at(20)));
    clock.advance(Duration::from_secs(20));
    other.await;
}

#[test]
fn a_sleep_keeps_its_moment_when_the_clock_is_set_back() {
    let clock = FakeClock::at(at(100));
    let _sleep = clock.sleep_until(at(150));
    clock.set(at(0));
    assert_eq!(clock.next_wake(), Some(at(150)));
}

#[test]
fn the_system_clock_does_not_go_back_and_knows_the_century() {
    let clock = SystemClock::new();
    let mut latest = clock.now();
    assert!(latest > "2024-01-01T00:00:00Z".parse().unwrap());
    for _ in 0..10_000 {
        let now = clock.now();
        assert!(now >= latest);
        latest = now;
    }
}
