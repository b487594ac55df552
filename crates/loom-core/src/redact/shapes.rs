//! Keys and tokens that are known by their shape.

use std::sync::LazyLock;

use regex::Regex;

use super::patterns::{exact_pattern, pattern};
use super::vendors::SHAPES;
use super::{Span, take};

/// What stands before a token is no letter or digit, but may be an escape that ends in one.
const BEFORE: &str = r"(?:^|[^A-Za-z0-9]|\\[nrt]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\x1b\[[0-9;]*m)";

/// All shapes in one pattern: the text is passed over once.
static ANY: LazyLock<Regex> = LazyLock::new(|| {
    let groups: Vec<String> = SHAPES.iter().map(|shape| format!("({})", shape.pattern)).collect();
    exact_pattern(&format!("{BEFORE}(?:{})", groups.join("|")))
});

/// Shapes of one fixed length: more letters make it something else.
static FIXED: &[&str] =
    &["aws", "crates", "twilio", "mailgun", "databricks", "pulumi", "shopify", "rubygems"];

/// A secret key of AWS has no shape of its own; it stands beside its id.
static BESIDE_ID: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r#"(?:AKIA|ASIA)[A-Z0-9]{16}["']?[\s,;:|/]{1,4}["']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+]|$)"#,
    )
});
static SLACK_HOOK: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"(?:hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/|\.webhook\.office\.com/webhookb2/)([\w/@.-]{20,})",
    )
});

/// A prefix and many letters and digits: the token of a provider that is not known here.
static PREFIXED: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"(?:^|[^\w.+/-])(?P<value>(?P<prefix>[A-Za-z][a-z0-9]{1,11})(?:[_-][a-z0-9]{1,10})?[_-][A-Za-z0-9]{32,})",
    )
});
/// Words around such a token, which could else be the id of anything.
static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"unauthori[sz]ed|forbidden|\b40[13]\b|api[ _-]?key|token|secret|credential")
});
/// Prefixes of what is no secret.
const OPEN_PREFIXES: [&str; 24] = [
    "pk", "cs", "phc", "pub", "public", "sha256", "sha384", "sha512", "md5", "org", "proj",
    "project", "file", "req", "msg", "run", "call", "toolu", "resp", "asst", "thread", "chatcmpl",
    "id", "fp",
];

/// The private members of a key as JSON.
static JWK: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(r#"\\*"(?:d|k|p|q|dp|dq|qi)\\*"\s*:\s*\\*"(?P<value>[\w-]{20,})\\*""#)
});

pub(super) fn find(line: &str, spans: &mut Vec<Span>) {
    let mut at = 0;
    while let Some(found) = ANY.captures_at(line, at) {
        let Some(whole) = found.get(0) else { break };
        let part = (1..found.len()).find_map(|group| Some((group, found.get(group)?)));
        let Some((group, part)) = part else { break };
        let shape = &SHAPES[group - 1];
        let goes_on = line[part.end()..].starts_with(|c: char| c.is_ascii_alphanumeric());
        if (shape.check)(part.as_str()) && !(goes_on && FIXED.contains(&shape.name)) {
            spans.push(Span::new(shape.name, part.range(), whole.range()));
            at = part.end();
        } else {
            at = part.start() + 1;
        }
    }
    for (rule, pattern) in [("aws", &BESIDE_ID), ("webhook", &SLACK_HOOK)] {
        let found =
            pattern.captures_iter(line).filter_map(|found| Some((found.get(0)?, found.get(1)?)));
        spans.extend(found.map(|(whole, part)| Span::new(rule, part.range(), whole.range())));
    }
    if line.contains("kty") {
        take("jwk", &JWK, |_| true, line, spans);
    }
    prefixed(line, spans);
}

fn prefixed(line: &str, spans: &mut Vec<Span>) {
    let has = |value: &str, kind: fn(&char) -> bool| value.chars().filter(kind).count() > 2;
    let is_mixed = |value: &str| {
        let tail = value.rsplit(['_', '-']).next().unwrap_or_default();
        has(tail, char::is_ascii_uppercase)
            && has(tail, char::is_ascii_lowercase)
            && tail.contains(|c: char| c.is_ascii_digit())
    };
    if !LOGIN.is_match(line) {
        return;
    }
    for found in PREFIXED.captures_iter(line) {
        let prefix = found.name("prefix").map_or("", |prefix| prefix.as_str());
        let value = found
            .name("value")
            .filter(|value| !OPEN_PREFIXES.contains(&prefix) && is_mixed(value.as_str()));
        spans.extend(value.map(|value| Span::new("token", value.range(), value.range())));
    }
}
