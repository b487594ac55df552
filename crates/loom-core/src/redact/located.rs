//! Secrets that are told by where they stand: in headers and in URLs.

use std::sync::LazyLock;

use regex::Regex;

use super::{Span, values};
use crate::pattern::pattern;

/// `Authorization: Bearer …`, in a header, an option, or an object.
static AUTHORIZATION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?x) (?:proxy-)?authorization \\*["']? \]? \s* (?: => | = | : | , ) \s* \\*["'`]?
           (?: (?P<long> (?:digest|aws4-hmac-sha256|oauth|hawk)\s+ ) (?P<line>[^\n]+)
             | (?P<scheme> (?:bearer|basic|token|apikey|api-key|negotiate|ntlm|bot|key|snowflake\stoken=|splunk|genie)[\s=:]+ )? \\*["']? (?P<value>[^\s"'`,;\\]+) )"#,
    )
});
static BEARER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"\bbearer(?:[ \t]+|%20|\+)(?P<value>[A-Z0-9._~+/-]{12,}=*)"#));
static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:^|[^A-Z0-9_])(?:x-)?(?:api-key|goog-api-key|auth-token|auth-key|api-token|access-token|vault-token|gitlab-token|amz-security-token|functions-key|apikey|private-token|job-token|deploy-token|subscription-key|csrf-token|xsrf-token)\\*["']?\s*[:=,]\s*\\*["']?(?P<value>[^\s"'`,;\\()]{4,})"#,
    )
});
static COOKIE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b(?:set-)?cookie(?P<shut>\\*["']?)\s*[:=]\s*(?P<open>\\*["'`]?)(?P<value>[\w.$!#%&*+^|~-]{1,128}=[^\n]+)"#,
    )
});

/// The user and password of a URL.
static USERINFO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b[a-z][a-z0-9+.-]*:(?:\\?/){2}(?P<user>[^\s/?#@:"'`<>\\]*)(?P<colon>:)?(?P<pass>[^\s/?#"'`<>\\]*)@"#,
    )
});
static QUERY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:[?&;#]|\\u0026|%26|%3F)(?P<name>key|api_?key|apikey|token|access_?token|id_?token|refresh_?token|auth_?token|auth|sig|signature|x-amz-signature|x-amz-security-token|x-amz-credential|x-goog-signature|password|passwd|pwd|secret|client_?secret|session_?token|sas|code|private_token|jwt|appid|app_key)(?:=|%3D)(?P<value>[^&\s#"'`<>\\,;)\]}]+)"#,
    )
});

/// Words that stand for a password in a manual.
const STAND_INS: [&str; 12] = [
    "password",
    "passwd",
    "pass",
    "pwd",
    "secret",
    "token",
    "x-oauth-basic",
    "your_password",
    "yourpassword",
    "mypassword",
    "pw",
    "x-token-auth",
];

pub(super) fn find(line: &str, spans: &mut Vec<Span>) {
    for found in AUTHORIZATION.captures_iter(line) {
        let Some(whole) = found.get(0) else { continue };
        if let Some(rest) = found.name("line") {
            // The header has quotes of its own: up to the end of the line, or of the option it stands in.
            let end = closing(line, whole.start(), rest.as_str());
            spans.push(Span::new("header", rest.start()..rest.start() + end, whole.range()));
        } else if let Some(value) = found.name("value") {
            let told = found.name("scheme").is_some();
            if if told { is_token(value.as_str(), 5) } else { values::is_secret(value.as_str()) } {
                spans.push(Span::new("header", value.range(), whole.range()));
            }
        }
    }
    for (pattern, min) in [(&BEARER, 12), (&HEADER, 4)] {
        for found in pattern.captures_iter(line) {
            let value = found.name("value").filter(|value| is_token(value.as_str(), min));
            spans.extend(
                value
                    .zip(found.get(0))
                    .map(|(value, whole)| Span::new("header", value.range(), whole.range())),
            );
        }
    }
    cookies(line, spans);
    urls(line, spans);
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
        let told = &value.as_str()[..end];
        let first = told.split_once('=').map_or("", |(_, rest)| rest);
        if !first.starts_with(['$', '<', '{', ' ', '='])
            && !first.starts_with("...")
            && first.len() > 2
        {
            let told = told.trim_end();
            spans.push(Span::new(
                "cookie",
                value.start()..value.start() + told.len(),
                whole.range(),
            ));
        }
    }
}

/// Where a header ends: at the quote that stands before it, else at the end of the line.
fn closing(line: &str, start: usize, rest: &str) -> usize {
    let quote = line[..start].chars().next_back().filter(|c| "\"'`".contains(*c));
    let end = quote.and_then(|quote| rest.find(quote)).unwrap_or(rest.len());
    rest[..end].trim_end().len()
}

fn urls(line: &str, spans: &mut Vec<Span>) {
    for found in USERINFO.captures_iter(line) {
        let (Some(whole), Some(user)) = (found.get(0), found.name("user")) else { continue };
        let pass = found.name("pass").filter(|_| found.name("colon").is_some());
        let known_stand_in = |text: &str| STAND_INS.contains(&text.to_ascii_lowercase().as_str());
        if let Some(pass) = pass.filter(|pass| !pass.is_empty() && !known_stand_in(pass.as_str())) {
            let same = pass.as_str() == user.as_str();
            if !is_reference(pass.as_str()) && !same {
                spans.push(Span::new("url", pass.range(), whole.range()));
            }
        } else if is_token(user.as_str(), 16) && user.as_str().chars().any(|c| c.is_ascii_digit()) {
            spans.push(Span::new("url", user.range(), whole.range()));
        }
    }
    for found in QUERY.captures_iter(line) {
        let value = found.name("value").filter(|value| values::is_secret(value.as_str()));
        spans.extend(
            value
                .zip(found.get(0))
                .map(|(value, whole)| Span::new("query", value.range(), whole.range())),
        );
    }
}

/// A variable, or something to be filled in.
fn is_reference(text: &str) -> bool {
    let masked = text.chars().all(|c| "*xX•.".contains(c));
    masked
        || text.starts_with(['$', '<', '{', '[', '%'])
            && !text.starts_with("%2")
            && !text.starts_with("%4")
}

/// What stands where a token stands, and is no word and no reference.
fn is_token(text: &str, min: usize) -> bool {
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
