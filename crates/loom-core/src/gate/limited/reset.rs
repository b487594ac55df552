//! When a limit resets, as messages say it.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::fmt::rfc2822;
use jiff::tz::{Offset, TimeZone};
use jiff::{ToSpan, Zoned};
use loom_deps::Timestamp;
use regex::{Captures, Regex};

use super::Reset;
use crate::pattern::pattern;

/// A wait longer than this is a misreading.
const WAIT_MAX: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// When the limit that `text` speaks of resets, if it says so and it is not over.
pub(super) fn find(text: &str, now: Timestamp) -> Option<Reset> {
    let ways: [fn(&str, Timestamp) -> Option<Reset>; 8] =
        [epoch, field, standard_date, countdown, duration, dated, weekday, time_of_day];
    ways.into_iter().filter_map(|way| way(text, now)).find(|reset| is_ahead(*reset, now))
}

fn is_ahead(reset: Reset, now: Timestamp) -> bool {
    let wait = reset.wait(now);
    !wait.is_zero() && wait <= WAIT_MAX
}

fn group<'t>(found: &Captures<'t>, name: &str) -> Option<&'t str> {
    found.name(name).map(|part| part.as_str())
}

static EPOCH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:\||reset[\w-]*["'\\]*\s*[:=]\s*["'\\]*|retry[_-]?after["'\\]*\s*[:=]\s*["'\\]*)(\d{13}|\d{10})\b"#,
    )
});

/// Seconds or milliseconds since 1970.
fn epoch(text: &str, _now: Timestamp) -> Option<Reset> {
    let digits = EPOCH.captures(text)?.get(1)?.as_str();
    let number: i64 = digits.parse().ok()?;
    let micros = if digits.len() == 13 { number * 1000 } else { number * 1_000_000 };
    Some(Reset::At(Timestamp::from_micros(micros)))
}

static FIELD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b(?P<name>retry[_-]?after(?:[_-]?(?:ms|seconds|secs))?|resets?_in(?:_seconds)?|retry[_-]?delay|retry_in|x-ratelimit-reset-(?:requests|tokens))["'\\]*\s*[:=]\s*["'\\]*(?P<number>\d+(?:\.\d+)?)(?P<unit>[a-zµ]*)"#,
    )
});

/// A header or a field of an object: seconds, unless it says otherwise.
fn field(text: &str, _now: Timestamp) -> Option<Reset> {
    let found = FIELD.captures(text)?;
    let number: f64 = group(&found, "number")?.parse().ok()?;
    let name = group(&found, "name")?.to_ascii_lowercase();
    let unit = match group(&found, "unit")? {
        "" if name.ends_with("ms") => "ms",
        "" => "s",
        unit => unit,
    };
    // A header such as `2m59.56s` is read as the durations of sentences are.
    let start = found.name("number")?.start();
    let whole = durations(&text[start..]).or_else(|| seconds(number, unit))?;
    Some(Reset::After(if unit == "s" { seconds(number, unit)? } else { whole }))
}

static RFC_3339: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(\d{4}-\d\d-\d\d)(?:T| at | )(\d\d:\d\d)(:\d\d(?:\.\d+)?)?\s?(Z|UTC|GMT|[+-]\d\d:?\d\d)",
    )
});
static RFC_2822: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:mon|tue|wed|thu|fri|sat|sun), \d{1,2} [a-z]{3} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4})",
    )
});
static ABOUT_RESETS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"reset|retry|try again|renew|regain|available|wait|until|resume"));

/// Dates in the forms of standards. Of several, the last that is near a word about resets.
fn standard_date(text: &str, now: Timestamp) -> Option<Reset> {
    let moments = RFC_3339.captures_iter(text).filter_map(|found| {
        let offset = found.get(4)?.as_str();
        let offset = if offset.starts_with(['+', '-']) { offset } else { "Z" };
        let seconds = found.get(3).map_or(":00", |part| part.as_str());
        let moment = format!("{}T{}{seconds}{offset}", &found[1], &found[2]);
        Some((found.get(0)?.start(), moment.parse::<Timestamp>().ok()?))
    });
    let mails = RFC_2822.find_iter(text).filter_map(|found| {
        let moment = rfc2822::parse(&found.as_str().replace("UTC", "GMT")).ok()?;
        Some((found.start(), Timestamp::from_micros(moment.timestamp().as_microsecond())))
    });
    let near = |start: usize| {
        ABOUT_RESETS.is_match(&text[text.floor_char_boundary(start.saturating_sub(60))..start])
    };
    let all = moments.chain(mails).filter(|(start, moment)| near(*start) && *moment > now);
    all.map(|(_, moment)| Reset::At(moment)).last()
}

const UNITS: &str = "(?:milliseconds?|ms|microseconds?|µs|us|seconds?(?:\\(s\\))?|second\\(s\\)|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?)";

static DURATION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?x)\b(?:try\sagain|retry(?:ing)?|resets?|reset\sin|wait(?:\sof)?|available|renews?|regain|back|expected|break)\b
          [^.;\n]{{0,40}}? \b(?:in|after|for|of|within|wait)?\s*(?:about\s|approximately\s|~)?['\x22]?
          (?P<all>\d+(?:\.\d+)?['\x22]?\s?{UNITS}\b(?:(?:,\s|\sand\s|\s)?\d+(?:\.\d+)?\s?{UNITS}\b)*|(?:\d+(?:\.\d+)?(?:h|m|s|d)){{2,4}})
          | \bin\s(?P<soon>\d+(?:\.\d+)?\s?{UNITS}(?:\s\d+\s?{UNITS})*)\b"
    ))
});
static PART: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"(\d+(?:\.\d+)?)['\x22]?\s?({UNITS})")));

/// A duration in a sentence that tells to wait.
fn duration(text: &str, _now: Timestamp) -> Option<Reset> {
    let found = DURATION.captures(text)?;
    let all = group(&found, "all").or_else(|| group(&found, "soon"))?;
    durations(all).map(Reset::After)
}

static COUNTDOWN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:again|retry|resets?|wait|available|renews?)\s(?:in|for)\s(\d{1,3}):(\d\d)(?::(\d\d))?\b",
    )
});

/// A duration as clocks count down: `5:41:08`, or minutes and seconds.
fn countdown(text: &str, _now: Timestamp) -> Option<Reset> {
    let found = COUNTDOWN.captures(text)?;
    let number = |at: usize| found.get(at).and_then(|part| part.as_str().parse::<u64>().ok());
    let (first, second) = (number(1)?, number(2)?);
    let seconds = match number(3) {
        Some(third) => first * 3600 + second * 60 + third,
        None => first * 60 + second,
    };
    Some(Reset::After(Duration::from_secs(seconds)))
}

/// The sum of the durations that `text` begins with.
fn durations(text: &str) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    let mut end = 0;
    for found in PART.captures_iter(text) {
        let whole = found.get(0)?;
        let between = text[end..whole.start()].trim();
        if !["", ",", "and"].contains(&between) {
            break;
        }
        sum = sum.checked_add(seconds(found[1].parse().ok()?, &found[2])?)?;
        end = whole.end();
    }
    (!sum.is_zero()).then_some(sum)
}

fn seconds(number: f64, unit: &str) -> Option<Duration> {
    let unit = unit.to_ascii_lowercase();
    let scale = match unit.as_str() {
        "ms" => 1e-3,
        "us" => 1e-6,
        unit if unit.starts_with('µ') || unit.starts_with("micro") => 1e-6,
        unit if unit.starts_with("milli") => 1e-3,
        unit if unit.starts_with('s') => 1.0,
        unit if unit.starts_with('m') => 60.0,
        unit if unit.starts_with('h') => 3600.0,
        unit if unit.starts_with('d') => 86_400.0,
        unit if unit.starts_with('w') => 604_800.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * scale).ok()
}

/// `3pm`, `9:30 AM`, `15:00`, `midnight`, and the zone that may follow.
const CLOCK: &str = r"(?P<clock>\d{1,2}(?::\d\d)?\s?[ap]\.?m\b\.?|\d{1,2}:\d\d\b|midnight|noon)(?:\s?\(?(?P<zone>[A-Za-z]+/[A-Za-z_+\-/0-9]+|(?:UTC|GMT)(?:[+-]\d{1,2}\b)?|P[SD]T|E[SD]T|C[SD]T|M[SD]T|CES?T|Pacific|Eastern)\b)?";

static TIME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b(?:resets?|reset at|try again|retry|until|available|renews?|back)\b[^.;\n]{{0,30}}?\b(?:at |after |until )?{CLOCK}"
    ))
});

/// The next time that the clock shows this.
fn time_of_day(text: &str, now: Timestamp) -> Option<Reset> {
    let joined = text.replace('\n', " ");
    let joined = joined.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = TIME.captures(&joined)?;
    let (now, time) = (zoned(now, group(&found, "zone"))?, clock(group(&found, "clock")?)?);
    let today = now.datetime().date().to_datetime(time).to_zoned(now.time_zone().clone()).ok()?;
    let next = if today > now { today } else { today.checked_add(1.day()).ok()? };
    Some(at(&next))
}

static WEEKDAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b(?:resets?|try again|until|available)\b[^.;\n]{{0,30}}?\b(?P<day>mon|tue|wed|thu|fri|sat|sun)(?:[a-z]*day)?\b,?(?: at)?(?: {CLOCK})?"
    ))
});

/// The next such day of the week.
fn weekday(text: &str, now: Timestamp) -> Option<Reset> {
    let found = WEEKDAY.captures(text)?;
    let now = zoned(now, group(&found, "zone"))?;
    let time = group(&found, "clock").map_or(Some(Time::midnight()), clock)?;
    let wanted = group(&found, "day")?.to_ascii_lowercase();
    let days = (0..=7).filter_map(|ahead| {
        let date = now.date().checked_add(ahead.days()).ok()?;
        let name = date.strftime("%a").to_string().to_ascii_lowercase();
        (name == wanted).then(|| date.to_datetime(time).to_zoned(now.time_zone().clone()).ok())?
    });
    days.into_iter().find(|moment| *moment > now).map(|moment| at(&moment))
}

static DATED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b(?:resets?|try again|until|available|renews?|regain|after|on)\b[^;\n]{{0,40}}?\b(?:(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<year>\d{{4}}))?|(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}})/(?P<y>\d{{4}})|(?P<iso>\d{{4}}-\d\d-\d\d))(?:,? ?(?:at )?{CLOCK})?"
    ))
});
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A day of the year, with or without its year and a time.
fn dated(text: &str, now: Timestamp) -> Option<Reset> {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = DATED.captures(&joined)?;
    let now = zoned(now, group(&found, "zone"))?;
    let time = group(&found, "clock").map_or(Some(Time::midnight()), clock)?;
    let number = |name: &str| group(&found, name).and_then(|digits| digits.parse::<i8>().ok());
    let year = |name: &str| group(&found, name).and_then(|digits| digits.parse::<i16>().ok());
    if let Some(iso) = group(&found, "iso") {
        return moment(iso.parse().ok()?, time, &now);
    }
    let named = group(&found, "month").map(str::to_ascii_lowercase);
    let month = MONTHS.iter().zip(1_i8..).find(|(name, _)| Some(**name) == named.as_deref());
    let (month, day) = match month {
        Some((_, month)) => (month, number("day")?),
        None => (number("m")?, number("d")?),
    };
    let given = year("year").or_else(|| year("y"));
    let this = Date::new(given.unwrap_or(now.year()), month, day).ok()?;
    let next = || Date::new(now.year().checked_add(1)?, month, day).ok();
    let this = moment(this, time, &now)?;
    let is_over = this.wait(Timestamp::from_micros(now.timestamp().as_microsecond())).is_zero();
    if given.is_none() && is_over { moment(next()?, time, &now) } else { Some(this) }
}

fn moment(date: Date, time: Time, near: &Zoned) -> Option<Reset> {
    Some(at(&date.to_datetime(time).to_zoned(near.time_zone().clone()).ok()?))
}

fn at(moment: &Zoned) -> Reset {
    Reset::At(Timestamp::from_micros(moment.timestamp().as_microsecond()))
}

/// `now` in the zone of this name; without a name, or with one that nobody knows, in UTC.
fn zoned(now: Timestamp, zone: Option<&str>) -> Option<Zoned> {
    if let Some(hours) = zone.and_then(|zone| zone.get(3..)?.parse::<i8>().ok()) {
        let zone = Offset::from_hours(hours).ok()?.to_time_zone();
        return Some(jiff::Timestamp::from_microsecond(now.as_micros()).ok()?.to_zoned(zone));
    }
    let name = match zone.map(str::to_ascii_uppercase).as_deref() {
        Some("PST" | "PDT" | "PACIFIC") => "America/Los_Angeles",
        Some("MST" | "MDT") => "America/Denver",
        Some("CST" | "CDT") => "America/Chicago",
        Some("EST" | "EDT" | "EASTERN") => "America/New_York",
        Some("CET" | "CEST") => "Europe/Berlin",
        Some(_) => zone.unwrap_or("UTC"),
        None => "UTC",
    };
    let zone = TimeZone::get(name).unwrap_or(TimeZone::UTC);
    Some(jiff::Timestamp::from_microsecond(now.as_micros()).ok()?.to_zoned(zone))
}

fn clock(text: &str) -> Option<Time> {
    let text = text.to_ascii_lowercase().replace(['.', ' '], "");
    match text.as_str() {
        "midnight" => return Some(Time::midnight()),
        "noon" => return Time::new(12, 0, 0, 0).ok(),
        _ => {}
    }
    let half = text
        .strip_suffix("am")
        .map(|rest| (rest, 0))
        .or(text.strip_suffix("pm").map(|rest| (rest, 12)));
    let (digits, shift) = half.map_or((text.as_str(), None), |(rest, shift)| (rest, Some(shift)));
    let (hour, minute) = digits.split_once(':').unwrap_or((digits, "0"));
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match shift {
        Some(shift) if (1..=12).contains(&hour) => hour % 12 + shift,
        Some(_) => return None,
        None => hour,
    };
    Time::new(hour, minute, 0, 0).ok()
}
