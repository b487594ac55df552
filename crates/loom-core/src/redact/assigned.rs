//! Values that are assigned to a name which says that they are secret.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{Span, values};
use crate::pattern::pattern;

/// A name, what assigns, and the quote that opens the value.
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?x)
        (?P<name> (?: \b(?:api|access|secret|private|auth|account|license|encryption|signing)\ key
          | [A-Z0-9_.$-]* (?:passw|passwd|pwd|pass|secret|token|key|cred|pat|connection) [A-Z0-9_-]* ) ) (?:\[\w*\])?
        (?: (?P<shut>\\*["'`\]]*) [\ \t]* (?P<sign> \\u003[ad] | => | := | \?= | === | == | != | = | : | , ) (?:[\ \t]*(?:\\u0022|%22))? [\ \t]*
          | [\ \t]+ (?:(?:is|was|of|to|with|value)[\ \t]+)? )
        (?P<open> [bruf]{1,2}["'] | \\*["'`]? )"#,
    )
});

/// Options of commands, whose value is the next word.
static OPTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:(?:^|\s|["'])--?[\w-]*(?:password|passwd|passphrase|token|secret|api-?key|access-?key|pass)["']?,?\s+|\bsshpass\s+-p\s*)["']?(?P<value>[^\s"'\\,]+)"#,
    )
});
/// The user and password of curl and its like.
static USER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b(?:curl|wget|https?|xh)\b[^\n|;]*?\s(?:-u|--user|--proxy-user)[ =]?["']?[\w.@+-]+:(?P<value>[^\s"'$<{*\[][^\s"']{3,})"#,
    )
});
/// A name and its value as two fields of one object.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b(?:key|name|id)\\*["']?\s*[=:]\s*\\*["']?(?P<name>[\w.-]+)\\*["']?(?:[\s,]*\\*["']?value\\*["']?\s*[=:]\s*\\*["']?|\s*>\s*)(?P<value>[^\s"'\\<>,}]{8,})"#,
    )
});
static ELEMENT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"<(?:\w+:)?(?P<name>[\w.-]+)>\s*(?P<value>[^<>\s]{8,})\s*</"));

/// The end of a line whose secret stands in the next.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:\b(?:name|key|id)["']?\s*[:=]\s*["']?(?P<field>[\w.-]+)["']?,?|["']?(?P<name>[\w.-]+)["']?\s*[:=]\s*[|>]?[-+]?)\s*$"#,
    )
});
static NEXT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"^[\s+>-]*(?P<value_of>["']?value["']?\s*[:=]\s*)?["']?(?P<value>[^\s"'\\,]{8,})["']?,?\s*$"#,
    )
});

pub(super) fn find(line: &str, spans: &mut Vec<Span>) {
    let mut at = 0;
    while let Some(found) = ASSIGNMENT.captures_at(line, at) {
        let (Some(whole), Some(name)) = (found.get(0), found.name("name")) else { break };
        at = name.end().max(at + 1);
        let secret = value_of(line, &found).filter(|_| values::is_secret_name(name.as_str()));
        if let Some(length) = secret {
            let secret = whole.end()..whole.end() + length;
            at = secret.end;
            spans.push(Span::new("assigned", secret.clone(), name.start()..secret.end));
        }
    }
    let told = |pattern: &Regex, is_secret: fn(&str) -> bool, spans: &mut Vec<Span>| {
        for found in pattern.captures_iter(line) {
            let named = found.name("name").is_none_or(|name| values::is_secret_name(name.as_str()));
            let value = found.name("value").filter(|value| named && is_secret(value.as_str()));
            spans.extend(
                value
                    .zip(found.get(0))
                    .map(|(value, whole)| Span::new("assigned", value.range(), whole.range())),
            );
        }
    };
    told(&OPTION, values::is_secret, spans);
    told(&USER, |_| true, spans);
    told(&PAIR, values::is_secret, spans);
    told(&ELEMENT, values::is_secret, spans);
}

/// Whether a line ends in a name whose value stands in the next.
pub(super) fn names_next(line: &str) -> bool {
    let found = NAMED.captures(line);
    let name = found.as_ref().and_then(|found| found.name("field").or_else(|| found.name("name")));
    name.is_some_and(|name| values::is_secret_name(name.as_str()))
}

/// The value of a name that the line before has told.
pub(super) fn find_next(line: &str, spans: &mut Vec<Span>) {
    let Some(found) = NEXT.captures(line) else { return };
    let is_secret = match found.name("value_of") {
        Some(_) => values::is_secret,
        None => values::is_strong,
    };
    let value = found.name("value").filter(|value| is_secret(value.as_str()));
    spans.extend(value.map(|value| Span::new("assigned", value.range(), 0..line.len())));
}

/// The length of the value that follows, if it is a secret.
fn value_of(line: &str, found: &Captures<'_>) -> Option<usize> {
    let rest = &line[found.get(0)?.end()..];
    let open = found.name("open").map_or("", |open| open.as_str());
    let is_bare = !open.contains(['"', '\'', '`']);
    let length = if is_bare { bare(rest) } else { quoted(rest, open) };
    let value = rest[..length].trim_end();
    let is_shut = found.name("shut").is_some_and(|shut| !shut.as_str().is_empty());
    let is_secret = match found.name("sign").map(|sign| sign.as_str()) {
        // Without a sign that assigns, it is prose, or one of many words in a list.
        None => values::is_strong(value),
        Some(",") => is_shut && !is_bare && values::is_strong(value),
        Some("==" | "===" | "!=") if is_bare => false,
        Some(_) => !(is_bare && is_code(value, &rest[length..])) && values::is_secret(value),
    };
    is_secret.then_some(value.len())
}

/// The length of a value without quotes.
fn bare(rest: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || "\"'`,;&|<>(){}[]\\".contains(c);
    // A reference goes to its end, so that it is seen as one.
    if rest.starts_with(['$', '<', '{', '[']) {
        return rest.find(char::is_whitespace).unwrap_or(rest.len());
    }
    rest.find(ends).unwrap_or(rest.len())
}

/// The length of a value in quotes: up to a quote with as many backslashes as the one that opened.
fn quoted(rest: &str, open: &str) -> usize {
    let slashes = open.chars().filter(|c| *c == '\\').count();
    let Some(quote) = open.chars().next_back() else { return 0 };
    let mut run = 0;
    for (at, c) in rest.char_indices() {
        match c {
            '\\' => run += 1,
            c if c == quote && run <= slashes => return at - run,
            // In the text of a text, an inner quote has more backslashes than the outer.
            _ => run = 0,
        }
    }
    rest.trim_end().len()
}

/// Calls, paths of names, types, small numbers.
fn is_code(value: &str, after: &str) -> bool {
    let is_name = value.chars().all(|c| c.is_alphanumeric() || "_.:".contains(c));
    after.starts_with(['(', '[', '<', '{']) && is_name || value.contains("::")
}
