//! Users, passwords and tokens in URLs.

use std::sync::LazyLock;

use regex::Regex;

use super::located::is_token;
use super::names::{self, Claim};
use super::patterns::pattern;
use super::{Span, take, values};

/// The user and password of a URL.
static USERINFO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b[a-z][a-z0-9+.-]*:(?:\\?/){2}(?P<user>[^\s/?#@:"'`<>\\\[\]]*)(?P<colon>:)?(?P<pass>[^\s/?#"'`<>\\]*)@"#,
    )
});
/// A password with signs that a URL should have encoded, up to what looks like a host.
static UNENCODED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b[a-z][a-z0-9+.-]*://(?P<user>[^\s/?#@:"'`<>\\\[\]]+):(?P<pass>[^\s"'`<>\\@/?#]*[/?#][^\s"'`<>\\@]*)@[a-z0-9][\w.-]*(?::\d+|[/,\s"']|$)"#,
    )
});
static PORT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d{1,5}(?:[/?#]|$)"));
static ENCODED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"%3A%2F%2F[^%\s&"']*%3A(?P<value>(?:[^%\s&"']|%[0-35-9A-F][0-9A-F]|%4[1-9A-F])+)%40"#)
});
/// The same without a scheme, and as Oracle writes it.
static BARE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:^|[\s"'=(,])(?P<user>[a-z][\w.-]*):(?P<value>[^\s:@/"'=]{6,})@(?:\d{1,3}(?:\.\d{1,3}){3}|[a-z][\w-]*(?:\.[\w-]+)*\.[a-z]{2,})"#,
    )
});
static ORACLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"(?:jdbc:oracle:\w+:|\bsqlplus\s+(?:-\w+\s+)*)[\w$#]+/(?P<value>[^\s@"'/]+)@"#)
});
/// A token as a part of a path.
static STEP: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"://[^\s]+?/(?:key|token|secret|apikey)/(?P<value>[\w-]{16,})"));

static QUERY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:[?&;#]|\\u0026|%26|%3F)(?:amp;)?(?P<name>[a-z][\w.-]{0,60})(?:=|%3D)(?P<value>[^&\s#"'`<>\\,;)\]}]+)"#,
    )
});
/// Parameters that are secret in URLs, though not elsewhere.
const PARAMETERS: [&str; 13] = [
    "key",
    "sig",
    "signature",
    "x-amz-signature",
    "x-goog-signature",
    "x-amz-credential",
    "sas",
    "code",
    "auth",
    "ticket",
    "sessionid",
    "appid",
    "hmac",
];

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
/// What stands before an address that has no password.
const LABELS: [&str; 16] = [
    "user", "email", "mail", "mailto", "to", "from", "cc", "login", "account", "author", "sub",
    "upn", "npm", "sip", "xmpp", "acct",
];

pub(super) fn find(line: &str, spans: &mut Vec<Span>) {
    if line.contains("://") || line.contains(":\\/\\/") {
        userinfo(line, spans);
        take("url", &STEP, values::is_random, line, spans);
    }
    if line.contains('@') {
        bare(line, spans);
        take("url", &ORACLE, values::is_secret, line, spans);
    }
    if line.contains("%40") {
        take("url", &ENCODED, |pass| pass.len() > 3 && !is_stand_in(pass), line, spans);
    }
    if line.contains('=') || line.contains("%3D") {
        query(line, spans);
    }
}

fn userinfo(line: &str, spans: &mut Vec<Span>) {
    for found in USERINFO.captures_iter(line) {
        let (Some(whole), Some(user)) = (found.get(0), found.name("user")) else { continue };
        let pass = found.name("pass").filter(|_| found.name("colon").is_some());
        if let Some(pass) = pass.filter(|pass| pass.len() > 3 && !is_stand_in(pass.as_str())) {
            let same = pass.as_str() == user.as_str();
            if !super::located::is_reference(pass.as_str()) && !same {
                spans.push(Span::new("url", pass.range(), whole.range()));
            }
        } else if !user.as_str().contains("%40")
            && is_token(user.as_str(), 16)
            && user.as_str().chars().any(|c| c.is_ascii_digit())
        {
            spans.push(Span::new("url", user.range(), whole.range()));
        }
    }
    for found in UNENCODED.captures_iter(line) {
        let pass = found.name("pass").filter(|pass| {
            !PORT.is_match(pass.as_str()) && !super::located::is_reference(pass.as_str())
        });
        spans.extend(
            pass.zip(found.get(0))
                .map(|(pass, whole)| Span::new("url", pass.range(), whole.range())),
        );
    }
}

fn bare(line: &str, spans: &mut Vec<Span>) {
    for found in BARE.captures_iter(line) {
        let user = found.name("user").map_or("", |user| user.as_str()).to_ascii_lowercase();
        let pass = found.name("value").filter(|pass| {
            !LABELS.contains(&user.as_str())
                && values::is_strong(pass.as_str())
                && pass.as_str().contains(|c: char| !c.is_lowercase() && !c.is_ascii_digit())
        });
        spans.extend(
            pass.zip(found.get(0))
                .map(|(pass, whole)| Span::new("url", pass.range(), whole.range())),
        );
    }
}

fn query(line: &str, spans: &mut Vec<Span>) {
    for found in QUERY.captures_iter(line) {
        let name = found.name("name").map_or("", |name| name.as_str());
        let is_told = PARAMETERS.contains(&name.to_ascii_lowercase().as_str())
            || names::claim(name) == Some(Claim::Secret);
        let value =
            found.name("value").filter(|value| is_told && values::is_secret(value.as_str()));
        spans.extend(
            value
                .zip(found.get(0))
                .map(|(value, whole)| Span::new("query", value.range(), whole.range())),
        );
    }
}

fn is_stand_in(text: &str) -> bool {
    STAND_INS.contains(&text.to_ascii_lowercase().as_str())
}
