//! The wait before another attempt.

use std::time::Duration;

use loom_core::{RetryPolicy, RetryReason};
use proptest::prelude::*;

fn durations() -> impl Strategy<Value = Duration> {
    (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(secs, nanos)| {
        // Small and huge ones alike.
        Duration::new(secs >> (secs % 64), nanos)
    })
}

proptest! {
    #[test]
    fn a_wait_is_never_longer_than_the_longest(
        base in durations(),
        max in durations(),
        retries: u32,
        unit in prop_oneof![0.0..=1.0_f64, any::<f64>()],
    ) {
        let policy = RetryPolicy { base, max, ..RetryPolicy::default() };
        prop_assert!(policy.backoff(retries, unit) <= max);
    }

    #[test]
    fn the_longest_wait_grows_with_every_retry(base in durations(), max in durations(), retries in 0..200_u32) {
        let policy = RetryPolicy { base, max, ..RetryPolicy::default() };
        prop_assert!(policy.backoff(retries, 1.0) <= policy.backoff(retries + 1, 1.0));
    }

    #[test]
    fn chance_draws_from_the_whole_wait(retries in 0..20_u32, unit in 0.0..=1.0_f64) {
        let policy = RetryPolicy::default();
        let (wait, longest) = (policy.backoff(retries, unit), policy.backoff(retries, 1.0));
        let drawn = wait.as_secs_f64() / longest.as_secs_f64();
        prop_assert!((drawn - unit).abs() < 1e-6);
    }
}

#[test]
fn by_default_the_longest_wait_doubles_from_a_second_to_five_minutes() {
    let policy = RetryPolicy::default();
    let longest: Vec<_> = (0..11).map(|retries| policy.backoff(retries, 1.0).as_secs()).collect();
    assert_eq!(longest, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    assert_eq!(policy.max_retries, 2);
}

#[test]
fn no_chance_means_no_wait_and_strange_chances_stay_within_bounds() {
    let policy = RetryPolicy::default();
    assert_eq!(policy.backoff(3, 0.0), Duration::ZERO);
    assert_eq!(policy.backoff(3, -7.0), Duration::ZERO);
    assert_eq!(policy.backoff(3, 7.0), Duration::from_secs(8));
    assert_eq!(policy.backoff(3, f64::NAN), Duration::ZERO);
}

#[test]
fn without_a_base_there_is_no_wait_however_often() {
    let policy = RetryPolicy { base: Duration::ZERO, ..RetryPolicy::default() };
    for retries in [0, 1, 31, 32, 40, u32::MAX] {
        assert_eq!(policy.backoff(retries, 1.0), Duration::ZERO, "{retries}");
    }
}

#[test]
fn without_a_bound_the_wait_doubles_on() {
    let policy = RetryPolicy { max: Duration::MAX, ..RetryPolicy::default() };
    assert_eq!(policy.backoff(40, 1.0), Duration::from_secs(1 << 40));
    assert!(policy.backoff(u32::MAX, 1.0) <= Duration::MAX);
}

#[test]
fn only_failed_and_rejected_attempts_count_as_retries() {
    let counted = RetryReason::ALL.into_iter().filter(|reason| reason.is_counted());
    assert_eq!(counted.collect::<Vec<_>>(), [RetryReason::Failed, RetryReason::Rejected]);
}
