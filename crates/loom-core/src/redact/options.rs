//! Secrets that are told by their place in a command or in a line of a protocol.

use std::sync::LazyLock;

use regex::Regex;

use super::patterns::{exact_pattern, pattern};
use super::{Span, names, take, values};

/// Options whose name says so, and whose value is the next word, or the next of a list of words.
static OPTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:^|[\s"'\[(])--?(?P<name>[a-z][\w-]*)["']?,?\s+["']?(?P<value>[^\s"'\\,=-][^\s"'\\,=]*=*)"#,
    )
});
/// What of a command stands before an option, and between an option and its value.
const BEFORE: &str = r#"\b[^\n|;]*?[\s"']"#;
const AFTER: &str = r#"(?:["'],\s*["']|\s+["']?|["'])"#;

/// The short options of commands.
static COMMANDS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let value = r#"(?P<value>[^\s"'\\,|;]+)"#;
    let glued = format!(
        r#"\b(?:mysql\w*|mariadb[\w-]*|7z[az]?|7zz|u?n?rar|sshpass){BEFORE}-p["']?(?P<value>[^\s"'\\,|;-][^\s"'\\,|;]*)"#
    );
    let small = format!(
        r"\b(?:sshpass|mongo\w*|cqlsh|twine|plink|pscp|arangosh|influx|login){BEFORE}-p{AFTER}{value}"
    );
    let large =
        format!(r"\b(?:sqlcmd|bcp|ipmitool|zip|unzip|mosquitto_\w+){BEFORE}-P{AFTER}{value}");
    let others = format!(
        r"\b(?:redis-cli{BEFORE}-a|(?:ldap[a-z]+|net\sads){BEFORE}-w|htpasswd\s-\w*b\w*\s+\S+\s+[\w.@-]+|rabbitmqctl\s(?:add_user|change_password)\s+[\w.@-]+|(?:mc|mcli)\salias\sset\s+\S+\s+\S+\s+\S+){AFTER}{value}"
    );
    [&glued, &small, &large, &others].map(|text| exact_pattern(text)).into()
});

/// Users and passwords in one word, and what is written into a command or a protocol.
static PLACES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r#"\b(?:curl|wget|https?|xh)\b[^\n|;]*?\s(?:-u|-a|--user|--auth|--proxy-user)[ =]?["']?[\w.@+-]+:(?P<value>[^\s"'$<{*\[][^\s"']{3,})"#,
        r#"\bsmbclient\b[^\n|;]*?\s-U\s?["']?[\w.\\/-]+%(?P<value>[^\s"']+)"#,
        r#"\blftp\b[^\n|;]*?\s-u\s?["']?[\w.@-]+,(?P<value>[^\s"']+)"#,
        r#"\s/p:["']?(?P<value>[^\s"'/]+)"#,
        r#"\bpass(?:in|out)\s+["']?pass:(?P<value>[^\s"']+)"#,
        r#"SecureString\s+(?:-String\s+)?["'](?P<value>[^\s"']+)["']"#,
        r#"\becho\s+(?:-n\s+)?["']?(?:[\w.-]+:)?(?P<value>[^\s"'|]+)["']?\s*\|\s*(?:sudo\s+-S|(?:sudo\s+)?chpasswd|[^|\n]*(?:--password-stdin|--with-token|--passphrase-fd))"#,
        r#"\bIDENTIFIED\s+(?:WITH\s+\S+\s+)?BY\s+(?:PASSWORD\s+)?["'](?P<value>[^\s"']+)["']"#,
        r#"\bgh\s+secret\s+set\b[^\n|;]*?(?:-b|--body)[ =]?["']?(?P<value>[^\s"']+)"#,
        r#"--from-literal[= ]["']?[\w.-]+=(?P<value>[^\s"']+)"#,
        r#"\b(?:\w*auth\w*|login|credentials?)\\*["']?\s*[=:]?\s*[(\[]\s*\\*["'][^\s"']+["'],\s*["'](?P<value>[^\s"'\\]+)["']"#,
    ]
    .map(pattern)
    .into()
});
/// Where only a value of digits and letters by turns is a secret.
static HINTS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r#"\s(?:-u|--user)[ =]["']?[\w.-]+:(?P<value>[^\s"'$<{*\[:/]+)"#,
        r#"\b(?:AUTH (?:PLAIN|LOGIN|XOAUTH2|[a-z]\w*)|\w+ LOGIN \S+|PASS|requirepass|masterauth|community|vault login) ["']?(?:oauth:)?(?P<value>[^\s"']+)"#,
        r#"\b(?:[Cc]redentials?|[Ll]ogin)\b[^\n:=]{0,20}[:= ] ?[\w.@-]+ ?[:/] ?(?P<value>[^\s"',;]+)"#,
        r"\b[\w.-]+:(?:\d{4,5}|\*):[\w*-]+:[\w.-]+:(?P<value>[^\s:]+)",
    ]
    .map(exact_pattern)
    .into()
});
/// The words from which a wallet can be made.
static SEED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b(?:mnemonic|(?:seed|recovery|backup)[ _-]?phrase)\b[^\n]{0,20}?[:=]\s*\\*["'`]?(?P<value>(?:[a-z]{3,8}[ ,]{1,2}){11,23}[a-z]{3,8})\b"#,
    )
});

/// What each of these has in it.
static HINT: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"mysql|mariadb|7z|rar |sshpass|mongo|cqlsh|twine|plink|pscp|arangosh|influx|[Ll]ogin|LOGIN|sqlcmd|bcp|ipmitool|zip|mosquitto|redis-cli|ldap|net ads|htpasswd|rabbitmqctl|mc alias|mcli alias|curl|wget|http|xh |smbclient|lftp|/p:|pass|SecureString|echo|(?i-u:identified)|secret|literal|[Aa]uth|[Cc]red|-u|--user|AUTH|PASS|masterauth|community|vault|(?i-u:mnemonic|phrase)|:\d{4,5}:|:\*:",
    )
});

/// Takes the values of options whose names say what they are.
pub(super) fn find_named(line: &str, spans: &mut Vec<Span>) {
    for found in OPTION.captures_iter(line) {
        let named = found.name("name").and_then(|name| names::claim(name.as_str()));
        let value = found.name("value").zip(named);
        let value = value.filter(|(value, claim)| values::is_claimed(*claim, value.as_str()));
        spans.extend(
            value
                .zip(found.get(0))
                .map(|((value, _), whole)| Span::new("assigned", value.range(), whole.range())),
        );
    }
}

pub(super) fn find(line: &str, spans: &mut Vec<Span>) {
    if !HINT.is_match(line) {
        return;
    }
    for pattern in COMMANDS.iter().chain(PLACES.iter()) {
        take("assigned", pattern, is_given, line, spans);
    }
    for pattern in HINTS.iter() {
        take("assigned", pattern, values::is_strong, line, spans);
    }
    take("assigned", &SEED, |_| true, line, spans);
}

/// What stands in the place of a password is one, unless it is a reference, a word or a number.
fn is_given(value: &str) -> bool {
    let is_number = value.chars().all(|c| c.is_ascii_digit() || ".:/-".contains(c));
    let is_word = value.chars().all(|c| c.is_ascii_lowercase()) || value.contains("password");
    value.len() > 3 && !is_number && !is_word && !values::is_reference(value)
}
