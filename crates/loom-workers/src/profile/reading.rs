//! What is understood of what a tool writes.

use std::mem;

use loom_core::first_bytes;
use loom_core::limits::{NAME_BYTES_MAX, RESULT_BYTES_MAX};
use loom_deps::Timestamp;
use serde_json::Value;

use super::error::ProfileError;
use super::path::Path;
use super::spec::{End, EventSpec, Paths};
use crate::capture::Capture;
use crate::lines::{LINE_BYTES_MAX, Lines};

/// How much of an error is kept.
const ERROR_BYTES_MAX: usize = 2 << 10;

/// What to take of events of one kind.
#[derive(Clone, Debug)]
pub(super) struct EventRule {
    when: Vec<(Path, Value)>,
    text: Vec<Path>,
    append: bool,
    progress: Vec<Path>,
    session_id: Vec<Path>,
    model: Vec<Path>,
    tokens_input: Vec<Path>,
    tokens_output: Vec<Path>,
    tokens_cached: Vec<Path>,
    cost_usd: Vec<Path>,
    error: Vec<Path>,
    limit: Option<bool>,
    resets_at: Vec<Path>,
    ends: Option<End>,
}

impl EventRule {
    pub(super) fn parse(spec: EventSpec) -> Result<Self, ProfileError> {
        let when = spec.when.into_iter().map(|(path, value)| Ok((Path::parse(&path)?, value)));
        Ok(Self {
            when: when.collect::<Result<_, _>>()?,
            text: paths(spec.text)?,
            append: spec.append,
            progress: paths(spec.progress)?,
            session_id: paths(spec.session_id)?,
            model: paths(spec.model)?,
            tokens_input: paths(spec.tokens_input)?,
            tokens_output: paths(spec.tokens_output)?,
            tokens_cached: paths(spec.tokens_cached)?,
            cost_usd: paths(spec.cost_usd)?,
            error: paths(spec.error)?,
            limit: spec.limit,
            resets_at: paths(spec.resets_at)?,
            ends: spec.ends,
        })
    }

    pub(super) const fn says_end(&self) -> bool {
        self.ends.is_some()
    }

    fn is_about(&self, event: &Value) -> bool {
        self.when.iter().all(|(path, wanted)| path.find(event).contains(&wanted))
    }
}

fn paths(paths: Paths) -> Result<Vec<Path>, ProfileError> {
    paths.into_vec().iter().map(|path| Path::parse(path)).collect()
}

/// The tokens that an attempt used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tokens {
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    pub(super) cached: Option<u64>,
}

/// A limit that the tool says it met.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LimitSeen {
    pub(super) resets_at: Option<Timestamp>,
}

/// What is understood so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    text: Option<Capture>,
    is_in_pieces: bool,
    /// The lines of an answer that comes in pieces.
    pieces: Lines,
    pub(super) session_id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) tokens: Tokens,
    pub(super) cost_usd: Option<f64>,
    pub(super) error: Option<String>,
    pub(super) limit: Option<LimitSeen>,
    pub(super) ended: Option<End>,
    pub(super) malformed: u64,
}

impl Reading {
    /// Takes in an event, and reports what people can read of it.
    pub(super) fn take(
        &mut self,
        event: &Value,
        rules: &[EventRule],
        report: &mut impl FnMut(&str),
    ) {
        for rule in rules.iter().filter(|rule| rule.is_about(event)) {
            self.apply(rule, event);
            self.read_text(rule, event, report);
            let lines = texts(&rule.progress, event);
            lines.iter().for_each(|text| report_lines(text, report));
        }
    }

    /// Reports the last line of an answer that came in pieces.
    pub(super) fn finish(&mut self, report: &mut impl FnMut(&str)) {
        mem::take(&mut self.pieces).finish(report);
    }

    /// Whether the answer came in pieces, so that one that was lost is missing in it.
    pub(super) const fn is_in_pieces(&self) -> bool {
        self.is_in_pieces
    }

    pub(super) fn take_text(&mut self) -> Option<Capture> {
        self.text.take()
    }

    fn apply(&mut self, rule: &EventRule, event: &Value) {
        let name = |paths| first_text(paths, event, NAME_BYTES_MAX);
        renew(&mut self.session_id, name(&rule.session_id));
        renew(&mut self.model, name(&rule.model));
        renew(&mut self.tokens.input, sum(&rule.tokens_input, event));
        renew(&mut self.tokens.output, sum(&rule.tokens_output, event));
        renew(&mut self.tokens.cached, sum(&rule.tokens_cached, event));
        renew(&mut self.cost_usd, find(&rule.cost_usd, event).find_map(Value::as_f64));
        renew(&mut self.error, first_text(&rule.error, event, ERROR_BYTES_MAX));
        renew(&mut self.ended, rule.ends);
        match rule.limit {
            Some(true) => {
                let seen = self.limit.get_or_insert_default();
                renew(&mut seen.resets_at, find(&rule.resets_at, event).find_map(moment));
            }
            Some(false) => self.limit = None,
            None => {}
        }
    }

    fn read_text(&mut self, rule: &EventRule, event: &Value, report: &mut impl FnMut(&str)) {
        let found = texts(&rule.text, event);
        if found.is_empty() {
            return;
        }
        if !rule.append {
            let mut text = Capture::new(RESULT_BYTES_MAX);
            text.push(found.join("\n").as_bytes());
            self.text = Some(text);
            return;
        }
        let text = self.text.get_or_insert_with(|| Capture::new(RESULT_BYTES_MAX));
        self.is_in_pieces = true;
        for piece in found {
            text.push(piece.as_bytes());
            self.pieces.push(piece.as_bytes(), &mut *report);
        }
    }
}

/// What is not said again stays as it was said.
fn renew<T>(slot: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *slot = value;
    }
}

/// Reports each line of a text that is not blank.
pub(super) fn report_lines(text: &str, report: &mut impl FnMut(&str)) {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.for_each(|line| report(first_bytes(line, LINE_BYTES_MAX)));
}

fn find<'e>(paths: &'e [Path], event: &'e Value) -> impl Iterator<Item = &'e Value> {
    paths.iter().flat_map(|path| path.find(event))
}

fn texts<'e>(paths: &'e [Path], event: &'e Value) -> Vec<&'e str> {
    find(paths, event).filter_map(Value::as_str).filter(|text| !text.is_empty()).collect()
}

fn first_text(paths: &[Path], event: &Value, max: usize) -> Option<String> {
    texts(paths, event).first().map(|text| first_bytes(text, max).to_owned())
}

fn sum(paths: &[Path], event: &Value) -> Option<u64> {
    find(paths, event).filter_map(Value::as_u64).reduce(u64::saturating_add)
}

/// A moment as events name it: in seconds or milliseconds since 1970, or as a date of RFC 3339.
fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => unix(number.as_i64()?),
        Value::String(text) => match text.parse() {
            Ok(number) => unix(number),
            Err(_) => text.parse().ok(),
        },
        _ => None,
    }
}

/// Seconds, or milliseconds if seconds would lead beyond the year 5000.
pub(super) fn unix(number: i64) -> Option<Timestamp> {
    const SECONDS_MAX: i64 = 100_000_000_000;
    let micros = if number < SECONDS_MAX { 1_000_000 } else { 1000 };
    number.checked_mul(micros).map(Timestamp::from_micros)
}
