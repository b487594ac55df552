//! Moments print, parse and saturate.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use loom_deps::Timestamp;
use proptest::prelude::*;

const fn us(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

#[test]
fn a_moment_prints_as_rfc_3339_with_as_many_digits_as_it_needs() {
    for (micros, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_793_867_400_250_000, "2026-11-05T08:30:00.25Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00Z"),
    ] {
        assert_eq!(us(micros).to_string(), text);
        assert_eq!(format!("{:?}", Some(us(micros))), format!("Some({text})"));
        assert_eq!(text.parse(), Ok(us(micros)));
    }
}

#[test]
fn a_moment_is_read_with_any_offset_and_truncated_to_microseconds() {
    for text in ["2026-11-05T09:30:00.25+01:00", "2026-11-05T08:30:00.2500009Z"] {
        assert_eq!(text.parse(), Ok(us(1_793_867_400_250_000)), "{text}");
    }
}

#[test]
fn what_is_no_time_says_what_a_time_looks_like() {
    for text in ["", "now", "2026-13-01T00:00:00Z", "2026-11-05", "us", "1.5us"] {
        let error = text.parse::<Timestamp>().unwrap_err().to_string();
        assert!(error.contains("2026-11-05T08:30:00Z"), "{text:?}: {error}");
    }
}

#[test]
fn a_moment_beyond_the_years_of_rfc_3339_prints_as_a_number() {
    for micros in [i64::MIN, i64::MAX] {
        let text = us(micros).to_string();
        assert_eq!(text, format!("{micros}us"));
        assert_eq!(text.parse(), Ok(us(micros)));
    }
}

#[test]
fn arithmetic_saturates() {
    let second = Duration::from_secs(1);
    assert_eq!(us(0).saturating_add(second), us(1_000_000));
    assert_eq!(us(0).saturating_sub(second), us(-1_000_000));
    assert_eq!(us(i64::MAX).saturating_add(second), us(i64::MAX));
    assert_eq!(us(i64::MIN).saturating_sub(second), us(i64::MIN));
    assert_eq!(us(0).saturating_add(Duration::MAX), us(i64::MAX));
    assert_eq!(us(i64::MAX).since(us(i64::MIN)), Duration::from_micros(i64::MAX as u64));
    assert_eq!(us(3).since(us(5)), Duration::ZERO);
}

#[test]
fn a_system_time_becomes_a_moment_on_either_side_of_the_epoch() {
    let three = Duration::from_micros(3);
    assert_eq!(Timestamp::from(UNIX_EPOCH + three), us(3));
    assert_eq!(Timestamp::from(UNIX_EPOCH - three), us(-3));
    assert_eq!(Timestamp::from(SystemTime::UNIX_EPOCH), us(0));
}

#[test]
fn what_is_no_time_is_no_json_time() {
    assert!(serde_json::from_str::<Timestamp>("\"soon\"").is_err());
    assert!(serde_json::from_str::<Timestamp>("12").is_err());
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(micros: i64) {
        let moment = us(micros);
        prop_assert_eq!(moment.to_string().parse(), Ok(moment));
        let json = serde_json::to_string(&moment).unwrap();
        prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), moment);
    }

    #[test]
    fn moments_within_a_few_millennia_print_in_the_order_of_time(
        one in 0..200_000_000_000_000_000_i64,
        other in 0..200_000_000_000_000_000_i64,
    ) {
        let whole = |micros: i64| us(micros / 1_000_000 * 1_000_000);
        let by_text = whole(one).to_string().cmp(&whole(other).to_string());
        prop_assert_eq!(by_text, whole(one).cmp(&whole(other)));
    }

    #[test]
    fn adding_and_asking_since_are_inverse(start in -1_000_000_000_000_i64..=1_000_000_000_000, by in 0..1_000_000_000_000_u64) {
        let wait = Duration::from_micros(by);
        let moment = us(start);
        prop_assert_eq!(moment.saturating_add(wait).since(moment), wait);
        prop_assert_eq!(moment.saturating_add(wait).saturating_sub(wait), moment);
    }
}
