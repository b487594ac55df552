//! The forms in which the drivers of Go write moments.

use loom_deps::Timestamp;

/// A moment, and whether it says all that stood there: no digit below a microsecond and no other
/// zone than UTC was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    pub(super) is_whole: bool,
}

/// Digits of a fraction that are looked at.
const FRACTION_MAX: usize = 9;

/// Reads a date, a time and a zone: `2026-11-22 14:42:04.805002857 +0100 CET m=+0.12` as Go prints
/// it, `2026-11-22 14:42:04.8+01:00` as SQLite likes it, RFC 3339, and what lacks some of that.
/// Without a zone it is UTC.
pub(super) fn parse(text: &str) -> Option<Moment> {
    let text = text.trim();
    let (text, has_monotonic) = match text.split_once(" m=") {
        Some((wall, _)) => (wall, true),
        None => (text, false),
    };
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' ']).unwrap_or(rest);
    let is_time = |c: char| c.is_ascii_digit() || c == ':' || c == '.';
    let (time, zone) = rest.split_at(rest.find(|c| !is_time(c)).unwrap_or(rest.len()));
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let (offset, is_utc) = zone_offset(zone.trim())?;
    let digits = fraction.get(..FRACTION_MAX.min(fraction.len()))?;
    let clock = match clock.len() {
        0 => "00:00:00".to_owned(),
        5 => format!("{clock}:00"),
        _ => clock.to_owned(),
    };
    let dot = if digits.is_empty() { "" } else { "." };
    let at = format!("{date}T{clock}{dot}{digits}{offset}").parse().ok()?;
    let is_fine = fraction.bytes().skip(6).any(|digit| digit != b'0');
    Some(Moment { at, is_whole: is_utc && !is_fine && !has_monotonic })
}

/// The offset of a zone as RFC 3339 has it, and whether the zone is UTC.
fn zone_offset(zone: &str) -> Option<(String, bool)> {
    if matches!(zone, "" | "Z" | "z" | "UTC") {
        return Some(("Z".to_owned(), true));
    }
    let (offset, name) = zone.split_once(' ').unwrap_or((zone, ""));
    let sign = offset.get(..1).filter(|sign| matches!(*sign, "+" | "-"))?;
    let digits: String = offset.chars().skip(1).filter(|c| *c != ':').collect();
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let parts = match digits.len() {
        2 => format!("{digits}:00"),
        4 => format!("{}:{}", &digits[..2], &digits[2..]),
        6 => format!("{}:{}:{}", &digits[..2], &digits[2..4], &digits[4..]),
        _ => return None,
    };
    let is_utc = digits.bytes().all(|digit| digit == b'0') && matches!(name, "" | "UTC");
    Some((format!("{sign}{parts}"), is_utc))
}

/// A moment that is written as a number since the Unix epoch. How large it is tells its unit.
pub(super) fn from_number(number: i64) -> Timestamp {
    const SECONDS_MAX: u64 = 100_000_000_000;
    let micros = match number.unsigned_abs() {
        0..SECONDS_MAX => number.saturating_mul(1_000_000),
        SECONDS_MAX..100_000_000_000_000 => number.saturating_mul(1000),
        100_000_000_000_000..100_000_000_000_000_000 => number,
        _ => number / 1000,
    };
    Timestamp::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let cases = [
            ("2026-11-22 14:42:04.805002857 +0000 UTC", "2026-11-22T14:42:04.805002Z", false),
            ("2026-11-22 14:42:04.805 +0000 UTC", "2026-11-22T14:42:04.805Z", true),
            ("2026-11-22 14:42:04 +0000 UTC m=+0.120000001", "2026-11-22T14:42:04Z", false),
            ("2026-06-22 14:42:04.5 +0200 CEST", "2026-06-22T12:42:04.5Z", false),
            ("2026-06-22 14:42:04 +0530 +0530", "2026-06-22T09:12:04Z", false),
            ("2026-06-22 14:42:04 -0330 NDT m=-0.1", "2026-06-22T18:12:04Z", false),
            ("2026-11-22 14:42:04.805002857+00:00", "2026-11-22T14:42:04.805002Z", false),
            ("2026-11-22 14:42:04.805002+00:00", "2026-11-22T14:42:04.805002Z", true),
            ("2026-11-22 14:42:04-07:00", "2026-11-22T21:42:04Z", false),
            ("2026-11-22T14:42:04Z", "2026-11-22T14:42:04Z", true),
            ("2026-11-22T14:42:04.123456000Z", "2026-11-22T14:42:04.123456Z", true),
            ("2026-11-22T14:42:04.123456789+01:00", "2026-11-22T13:42:04.123456Z", false),
            ("2026-11-22 14:42:04", "2026-11-22T14:42:04Z", true),
            ("2026-11-22T14:42", "2026-11-22T14:42:00Z", true),
            ("2026-11-22", "2026-11-22T00:00:00Z", true),
            ("0001-01-01 00:00:00 +0000 UTC", "0001-01-01T00:00:00Z", true),
        ];
        for (text, expected, is_whole) in cases {
            let at = expected.parse().unwrap();
            assert_eq!(parse(text), Some(Moment { at, is_whole }), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        let texts = [
            "",
            "soon",
            "2026-13-01 00:00:00",
            "2026-11-22 25:00:00",
            "2026-11-22 14:42:04 CEST",
            "2026-11-22 14:42:04 +1",
            "2026-11-22 14:42:04 +00éé",
            "ééééééééééé",
            "1763822524",
        ];
        for text in texts {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_is_of_the_unit_that_makes_sense() {
        let at = Timestamp::from_micros(1_763_822_524_000_000);
        for number in
            [1_763_822_524, 1_763_822_524_000, 1_763_822_524_000_000, 1_763_822_524_000_000_000]
        {
            assert_eq!(from_number(number), at, "{number}");
        }
    }
}
