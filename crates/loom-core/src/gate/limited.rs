//! Outputs that are not an answer but the word of a provider that a limit is reached.

mod claim;
mod json;
mod kind;
mod lines;
mod plain;
mod reset;
mod shape;
mod sources;
mod stance;
mod tongues;
mod words;

use std::time::Duration;

use loom_deps::Timestamp;
use serde::Serialize;

use super::{Case, GateDecision, Rule};
use shape::Shape;

/// A limit that a provider says is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// Which kind of limit.
    pub kind: LimitKind,
    /// When it resets, if the message says so.
    pub resets: Option<Reset>,
}

/// The kinds of limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitKind {
    /// Too much in too short a time. Waiting helps.
    RateLimited,
    /// The provider has too much to do. Waiting helps.
    Overloaded,
    /// What was paid for is used up. Waiting helps only if the message says until when.
    Quota,
}

/// When a limit resets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reset {
    /// This long after the message.
    After(Duration),
    /// At this moment.
    At(Timestamp),
}

impl Reset {
    /// How long to wait from `now` on; nothing if it is over.
    #[must_use]
    pub fn wait(self, now: Timestamp) -> Duration {
        match self {
            Self::After(wait) => wait,
            Self::At(moment) => moment.since(now),
        }
    }
}

/// Finds the message of a provider that a limit is reached, if `text` is one.
///
/// It goes by structure, not by a word somewhere: an error object (as JSON, as lines of JSON, as
/// server-sent events, as a page, or as what a text ends in), an HTTP status, or a sentence that
/// states, here and now, that a limit is met. Such a sentence may be the whole of a short text; at
/// the end of a long one it must call itself an error or be one that only providers write. An answer
/// that merely talks about limits, and retries that were followed by an answer, are none. `failed`
/// says that the work ended badly (an exit status other than zero, an error): then it need not be
/// the last thing said.
///
/// `now` is the moment of the message. Times of day without a zone are read as UTC; a reset that is
/// over by then is not reported.
///
/// ```
/// use std::time::Duration;
/// use loom_core::{LimitKind, Reset, find_limit};
/// use loom_deps::Timestamp;
///
/// let now: Timestamp = "2026-11-22T10:00:00Z".parse()?;
/// let limit = find_limit("Rate limit reached. Try again in 2.5s.", false, now).unwrap();
/// assert_eq!(limit.kind, LimitKind::RateLimited);
/// assert_eq!(limit.resets, Some(Reset::After(Duration::from_millis(2500))));
///
/// assert_eq!(find_limit("I added rate limits to the login.", false, now), None);
/// # Ok::<(), loom_deps::ParseTimestampError>(())
/// ```
#[must_use]
pub fn find_limit(text: &str, failed: bool, now: Timestamp) -> Option<Limit> {
    if !words::may_tell_of_limits(text) {
        return None;
    }
    let text = shape::plain(text);
    let said = match Shape::of(&text) {
        Shape::Object(object) => json::says(&object, false),
        Shape::Markup(titles) => plain::says_title(&titles),
        Shape::Text(_) if sources::is_source_text(&text) => None,
        Shape::Text(short) => says(&text, short).or_else(|| says_failing(&text, failed)),
    }?;
    let resets = reset::find(&said, now).or_else(|| reset::find(&text, now));
    let kind = kind::of(&said);
    Some(Limit { kind, resets })
}

/// What a text says, or the error object that it ends in.
fn says(text: &str, short: bool) -> Option<String> {
    let ends_in = shape::last_object(text, short);
    ends_in
        .and_then(|(object, named)| json::says(&object, !named))
        .or_else(|| plain::says(text, short))
}

fn says_failing(text: &str, failed: bool) -> Option<String> {
    failed.then(|| plain::says_failing(text)).flatten()
}

/// Objects to an output, or to a failure, that is the message of a rate limit.
///
/// What counts as such a message, [`find_limit`] says. Another attempt may do better, at the
/// earliest when the limit resets if the message says when. A quota that is used up and does not
/// reset in time to come is not retried.
#[derive(Clone, Copy, Debug, Default)]
pub struct RateLimit;

impl RateLimit {
    fn decide(case: &Case<'_>) -> Option<GateDecision> {
        let limit = find_limit(case.output, case.failed, case.now)?;
        let hopeless = limit.kind == LimitKind::Quota && limit.resets.is_none();
        let decision = match hopeless {
            true => GateDecision::reject(Self::REASON),
            false => GateDecision::retry(Self::REASON),
        };
        Some(GateDecision { retry_after: limit.resets, ..decision })
    }

    /// The reason that the rule gives.
    pub(crate) const REASON: &str = "rate_limit_error";
}

impl Rule for RateLimit {
    fn check(&self, case: &Case<'_>) -> Option<GateDecision> {
        Self::decide(case)
    }

    fn check_failure(&self, case: &Case<'_>) -> Option<GateDecision> {
        Self::decide(case)
    }
}
