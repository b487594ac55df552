//! Secrets that are told by the header in which they stand.

use std::sync::LazyLock;

use regex::Regex;

use super::patterns::pattern;
use super::{Span, take, values};

/// `Authorization: Bearer …`, in a header, an option, or an object.
static AUTHORIZATION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?x) authorization (?P<shut>\\*["']?) \]? \s* (?P<sign> => | = | : | , ) \s* [(\[]?\\*["'`]?
           (?: (?P<long> [a-z][\w-]*\s+ ) (?P<line> [a-z][\w-]*=(?:\\*["'][^\n]+ | [^\s,&"']+[,&][^\n]+) )
             | (?P<basic> (?:bearer|basic|token|apikey|api-key|negotiate|ntlm|bot|key|splunk|genie)[\s=:]+ ) (?:token=)? \\*["']? (?P<told>[^\s"'`,;\\]+)
             | (?: (?P<scheme> [a-z][\w.-]{1,30} ) \s+ )? (?:token=)? \\*["']? (?P<value>[^\s"'`,;\\()]+) )"#,
    )
});
static BEARER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"\bbearer(?:[ \t]+|%20|\+)(?P<value>[A-Z0-9._~+/-]{12,}=*)"#));
/// The list of sub-protocols is the only header that a browser lets a page set.
static PROTOCOL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"bearer\.authorization\.[a-z0-9.]*?\.(?P<value>[\w-]{20,})"));
static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:^|[^A-Z0-9_])(?:x-)?(?:api-key|goog-api-key|auth-token|auth-key|api-token|access-token|vault-token|gitlab-token|amz-security-token|functions-key|apikey|private-token|job-token|deploy-token|subscription-key|csrf-token|xsrf-token|honeycomb-team)(?:\\*["']?\s*[:=]|\\*["']\s*,)\s*\\*["']?(?P<value>[^\s"'`,;\\()]{4,})"#,
    )
});
static COOKIE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b(?:set-)?cookie(?P<shut>\\*["']?)\s*[:=]\s*\[?(?P<open>\\*["'`]?)(?P<value>[\w.$!#%&*+^|~-]{1,128}=[^\n]+)"#,
    )
});
/// What a server says about a cookie.
const ATTRIBUTES: [&str; 7] =
    ["path", "domain", "expires", "max-age", "samesite", "priority", "version"];

pub(super) fn find(line: &str, spans: &mut Vec<Span>) {
    for found in AUTHORIZATION.captures_iter(line) {
        authorization(line, &found, spans);
    }
    take("header", &BEARER, |value| is_token(value, 12), line, spans);
    take("header", &PROTOCOL, |_| true, line, spans);
    take("header", &HEADER, |value| is_token(value, 4), line, spans);
    cookies(line, spans);
}

fn authorization(line: &str, found: &regex::Captures<'_>, spans: &mut Vec<Span>) {
    let Some(whole) = found.get(0) else { return };
    let is_list = found.name("sign").is_some_and(|sign| sign.as_str() == ",");
    if is_list && found.name("shut").is_none_or(|shut| shut.is_empty()) {
        return;
    }
    if let Some(rest) = found.name("line") {
        // The header has quotes of its own: up to the end of the line, or of the option it stands in.
        let end = closing(line, whole.start(), rest.as_str());
        spans.push(Span::new("header", rest.start()..rest.start() + end, whole.range()));
        return;
    }
    let told = found.name("told").filter(|value| is_token(value.as_str(), 5));
    let value = found.name("value").filter(|value| match found.name("scheme") {
        Some(_) => value.len() > 15 && values::is_secret(value.as_str()),
        None => values::is_secret(value.as_str()),
    });
    let secret = told.or(value);
    spans.extend(secret.map(|value| Span::new("header", value.range(), whole.range())));
}

fn cookies(line: &str, spans: &mut Vec<Span>) {
    for found in COOKIE.captures_iter(line) {
        let (Some(whole), Some(value)) = (found.get(0), found.name("value")) else { continue };
        let open = found.name("open").map_or("", |open| open.as_str());
        let end = if open.is_empty() {
            closing(line, whole.start(), value.as_str())
        } else {
            value.as_str().find(open).unwrap_or(value.as_str().len())
        };
        let told = value.as_str()[..end].trim_end();
        if told.split([';', '\\']).any(is_telling) {
            let secret = value.start()..value.start() + told.len();
            spans.push(Span::new("cookie", secret, whole.range()));
        }
    }
}

/// Whether a cookie has a value that may be secret: not a reference, a language or a theme.
fn is_telling(cookie: &str) -> bool {
    let Some((name, value)) = cookie.split_once('=') else { return false };
    let is_plain = value.chars().all(|c| c.is_ascii_alphabetic() || c == '-' || c == '_');
    let is_word = value.len() < 3 || is_plain && value.len() < 12;
    let is_reference = value.starts_with(['$', '<', '{', ' ', '=']) || value.starts_with("...");
    let is_attribute = ATTRIBUTES.contains(&name.trim().to_ascii_lowercase().as_str());
    !is_word && !is_reference && !is_attribute
}

/// Where a header ends: at the quote that stands before it, else at the end of the line.
fn closing(line: &str, start: usize, rest: &str) -> usize {
    let quote = line[..start].chars().next_back().filter(|c| "\"'`".contains(*c));
    let end = quote.and_then(|quote| rest.find(quote)).unwrap_or(rest.len());
    rest[..end].trim_end().len()
}

/// A variable, or something to be filled in.
pub(super) fn is_reference(text: &str) -> bool {
    let masked = text.chars().all(|c| "*xX•.".contains(c));
    masked
        || text.starts_with(['$', '<', '{', '[', '%'])
            && !text.starts_with("%2")
            && !text.starts_with("%4")
}

/// What stands where a token stands, and is no word and no reference.
pub(super) fn is_token(text: &str, min: usize) -> bool {
    let word = text.chars().all(|c| c.is_ascii_lowercase()) && text.len() <= 14;
    let probe = format!("{text}{}", "9Zq7Kd3f");
    text.len() >= min
        && !is_reference(text)
        && !word
        && (text.len() < 8 || values::is_secret(&probe) && !is_named(text))
}

/// `YOUR_TOKEN`, `api-key-here`: what a name is made of.
fn is_named(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_uppercase() || c == '_') && text.contains('_')
        || text.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-')
}
