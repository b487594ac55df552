//! The patterns of a profile: how its tool says that it has done well, or has met a limit.

use loom_core::{Reset, find_limit};
use loom_deps::Timestamp;
use regex::{Captures, Regex, RegexBuilder};

use super::error::ProfileError;
use super::reading::unix;

/// Largest pattern, compiled.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// An answer that is longer merely talks about limits.
const MESSAGE_BYTES_MAX: usize = 600;

#[derive(Clone, Debug)]
pub(super) struct Patterns(Vec<Regex>);

impl Patterns {
    pub(super) fn parse(patterns: Vec<String>) -> Result<Self, ProfileError> {
        let compiled = patterns.into_iter().map(|pattern| {
            let built = RegexBuilder::new(&pattern).size_limit(PATTERN_BYTES_MAX).build();
            built.map_err(|source| ProfileError::Pattern { pattern, source: Box::new(source) })
        });
        Ok(Self(compiled.collect::<Result<_, _>>()?))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn match_in(&self, text: &str) -> bool {
        self.0.iter().any(|pattern| pattern.is_match(text))
    }

    /// The limit that an answer is the message of, and when it resets.
    pub(super) fn limit_as(&self, answer: &str, now: Timestamp) -> Option<Option<Timestamp>> {
        let answer = answer.trim();
        (answer.len() <= MESSAGE_BYTES_MAX).then(|| self.limit_in(answer, now)).flatten()
    }

    /// The limit that a line of `text` tells of, and when it resets.
    pub(super) fn limit_in(&self, text: &str, now: Timestamp) -> Option<Option<Timestamp>> {
        let lines = text.lines().map(str::trim);
        let mut found = lines.flat_map(|line| self.0.iter().filter_map(|it| it.captures(line)));
        found.next().map(|found| reset(&found, now))
    }
}

/// When a limit resets: the group `epoch` has a Unix time, `seconds` a wait, and `reset` a moment or
/// a wait in any words that loom's own rule about limits understands.
fn reset(found: &Captures<'_>, now: Timestamp) -> Option<Timestamp> {
    let group = |name| found.name(name).map(|part| part.as_str());
    let words = |words| find_limit(&format!("Rate limit reached. Resets {words}"), true, now);
    let reset = group("epoch")
        .and_then(|epoch| unix(epoch.parse().ok()?).map(Reset::At))
        .or_else(|| group("seconds").and_then(seconds))
        .or_else(|| group("reset").and_then(words)?.resets)?;
    let wait = reset.wait(now);
    (!wait.is_zero()).then(|| now.saturating_add(wait))
}

fn seconds(text: &str) -> Option<Reset> {
    let seconds: f64 = text.parse().ok()?;
    std::time::Duration::try_from_secs_f64(seconds).ok().map(Reset::After)
}
