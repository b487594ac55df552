//! Which limit a message is about.

use std::sync::LazyLock;

use regex::Regex;

use super::LimitKind;
use crate::pattern::pattern;

static QUOTA: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"insufficient[ _](?:quota|credits?|balance|funds)|balance is too low|out of (?:extra usage|credits)|(?:used|exhausted) all available credits|purchase (?:more )?credits|no quota|quota_exceeded|current[ _]quota|billing|spend(?:ing)? (?:cap|limit)|premium request allowance|monthly|for this month|this billing period|included credits|usage cap|free usage exceeded",
    )
});
static PER_TIME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"per[ -_]?(?:second|minute|hour|day)|\b(?:RPM|TPM|RPD)\b|daily|retry in")
});
static BUSY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"overloaded|capacity|too busy|high demand|\b529\b|\b503\b|unavailable")
});

/// The kind of limit that `text` speaks of.
pub(super) fn of(text: &str) -> LimitKind {
    if QUOTA.is_match(text) && !PER_TIME.is_match(text) {
        return LimitKind::Quota;
    }
    if BUSY.is_match(text) { LimitKind::Overloaded } else { LimitKind::RateLimited }
}
