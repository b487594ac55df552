//! Outputs that are not an answer but the word of a provider that a limit is reached.

use serde_json::Value;

use super::{Case, GateDecision, Rule};

/// Objects to an output that is the message of a rate limit; another attempt may do better.
///
/// It goes by structure, not by a word somewhere: an error object as a whole, or a sentence of the
/// kind that providers write, standing at the start of a line of an output that is short, or of the
/// last lines of a long one. A long answer that merely talks about limits passes.
#[derive(Clone, Copy, Debug, Default)]
pub struct RateLimit;

impl Rule for RateLimit {
    fn check(&self, case: &Case<'_>) -> Option<GateDecision> {
        is_limit_message(case.output).then(|| GateDecision::retry("rate_limit_error"))
    }
}

/// An output longer than this is an answer, whatever it says.
const MESSAGE_BYTES_MAX: usize = 600;

fn is_limit_message(output: &str) -> bool {
    let text = output.trim();
    if text.is_empty() {
        return false;
    }
    if text.starts_with(['{', '[']) {
        return serde_json::from_str(text).is_ok_and(|json| is_limit_object(&json));
    }
    text.len() <= MESSAGE_BYTES_MAX && text.lines().any(is_limit_line)
}

/// The words by which providers name the condition in `type`, `code` or `status`.
const NAMES: [&str; 10] = [
    "rate_limit_error",
    "rate_limit_exceeded",
    "overloaded_error",
    "insufficient_quota",
    "usage_limit_reached",
    "RESOURCE_EXHAUSTED",
    "too_many_requests",
    "ThrottlingException",
    "TooManyRequestsException",
    "quota_exceeded",
];

/// An object whose `error` (or which itself, if it calls itself an error) names the condition.
fn is_limit_object(json: &Value) -> bool {
    let json = json.as_array().and_then(|list| list.first()).unwrap_or(json);
    let error = match json.get("error") {
        Some(Value::String(text)) => return is_limit_line(text) || NAMES.contains(&text.as_str()),
        Some(error) => error,
        None => json,
    };
    let named = ["type", "code", "status", "__type", "error_code"].iter().any(|&field| {
        let value = error.get(field);
        value.and_then(Value::as_str).is_some_and(|text| NAMES.contains(&text))
            || value.and_then(Value::as_u64).is_some_and(|code| matches!(code, 429 | 529))
    });
    let is_error = json.get("error").is_some() || error.get("message").is_some();
    named && is_error
}

/// What may stand before the message on its line.
const PREFIXES: [&str; 7] =
    ["error:", "error", "api error:", "fatal:", "http", "request failed:", "failed:"];

/// How the messages begin. Lower case.
const OPENINGS: [&str; 18] = [
    "rate limit",
    "rate-limit",
    "ratelimit",
    "you have exceeded your",
    "you exceeded your",
    "you've hit your",
    "you have reached your",
    "you've reached your",
    "429",
    "529",
    "too many requests",
    "quota exceeded",
    "throttled",
    "request was throttled",
    "usage limit reached",
    "claude ai usage limit reached",
    "overloaded",
    "resource has been exhausted",
];

fn is_limit_line(line: &str) -> bool {
    let lower = line.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let mut rest = lower.as_str();
    while let Some(after) = PREFIXES.iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        rest = after.trim_start_matches(|c: char| !c.is_alphanumeric());
        if rest.is_empty() {
            return false;
        }
    }
    OPENINGS.iter().any(|opening| rest.strip_prefix(opening).is_some_and(ends_a_word))
}

/// `429` is no part of `4290`, and `throttled` none of `throttledness`.
fn ends_a_word(after: &str) -> bool {
    !after.starts_with(|c: char| c.is_alphanumeric())
        || after.starts_with("ed")
        || after.starts_with("ing")
}
