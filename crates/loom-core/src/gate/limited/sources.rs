//! Texts that are sources: settings, tables of messages, what a look into files prints.

use std::sync::LazyLock;

use regex::Regex;

use crate::pattern::exact_pattern;

/// Most lines of a file of settings that are read.
const LINES_MAX: usize = 400;

/// A command that shows files or their history, and its output below; what a feature is to do.
static LOOKED_UP: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"^\$ (?:git )?(?:grep|rg|ag|ack|cat|bat|less|head|tail|sed|awk|log|diff|show|blame)\b|^(?:@\w+\s+)*(?:Feature|Scenario): |^(?:openapi|swagger|asyncapi|apiVersion)\s*: ",
    )
});

/// A key and its value: `requests: 100`, `MAX_RPS=50`.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r#"^(?P<indent>\s*)(?:- )?["']?(?P<key>[a-z][\w.-]*|[A-Z][A-Z0-9]*_[A-Z0-9_]*|\d{3})["']?\s*[:=]"#,
    )
});
/// A key inside a group may be a name of any kind.
static NESTED: LazyLock<Regex> =
    LazyLock::new(|| exact_pattern(r#"^\s+(?:- )?["']?[A-Z][\w.-]*["']?\s*:(?:\s|$)"#));
static SECTION: LazyLock<Regex> = LazyLock::new(|| exact_pattern(r"^\[\[?[a-z][\w. -]*\]?\]$"));

/// Whether a text as a whole is something to read, not something said.
pub(super) fn is_source_text(text: &str) -> bool {
    LOOKED_UP.is_match(text) || is_test_report(text) || are_settings(text)
}

static WANTED: LazyLock<Regex> =
    LazyLock::new(|| exact_pattern(r"(?m)^[ \t]*[-+]?[ \t]*(?:left|[Ee]xpected|want)\s*:"));
static GOT: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(r"(?m)^[ \t]*[-+]?[ \t]*(?:right|[Rr]eceived|[Aa]ctual|got)\s*:")
});

/// Whether a test compares what it wanted with what it got.
fn is_test_report(text: &str) -> bool {
    WANTED.is_match(text) && GOT.is_match(text)
}

/// Keys under which programs print an error.
const OF_ERRORS: [&str; 21] = [
    "error",
    "err",
    "message",
    "msg",
    "detail",
    "details",
    "reason",
    "code",
    "status",
    "statuscode",
    "status_code",
    "type",
    "name",
    "fault",
    "exception",
    "title",
    "level",
    "error_code",
    "error_message",
    "retry_after",
    "retry-after",
];

/// Whether the lines give values to names, in groups, and none of the groups is an error.
fn are_settings(text: &str) -> bool {
    let is_comment = |line: &&str| line.trim_start().starts_with(['#', ';']);
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.trim().is_empty() && !is_comment(line)).collect();
    if lines.len() < 2 || lines.len() > LINES_MAX {
        return false;
    }
    let is_sectioned = lines.first().is_some_and(|line| SECTION.is_match(line));
    let is_setting = |line: &&str| {
        PAIR.is_match(line)
            || NESTED.is_match(line)
            || SECTION.is_match(line)
            || line.trim_start().starts_with("- ")
    };
    if !lines.iter().all(is_setting) {
        return false;
    }
    is_sectioned || are_groups(&lines)
}

/// Whether lines without sections are grouped by indentation, or are variables of an environment.
fn are_groups(lines: &[&str]) -> bool {
    let keys = lines.iter().filter_map(|line| PAIR.captures(line)).filter_map(|found| {
        let indent = found.name("indent")?.len();
        Some((indent, found.name("key")?.as_str()))
    });
    let keys: Vec<(usize, &str)> = keys.collect();
    let is_of_error = |key: &str| OF_ERRORS.contains(&key.to_ascii_lowercase().as_str());
    let outer = keys.iter().filter(|(indent, _)| *indent == 0);
    if outer.clone().any(|(_, key)| is_of_error(key)) {
        return false;
    }
    let errors = outer.clone().any(|(_, key)| key.starts_with("error"));
    if errors && keys.iter().any(|(_, key)| is_of_error(key)) {
        return false;
    }
    let opens = |line: &&&str| line.ends_with(':') && !line.starts_with(' ');
    let is_variable = |(_, key): &(usize, &str)| key.contains('_') && *key == key.to_uppercase();
    lines.iter().any(|line| opens(&line)) || keys.iter().all(is_variable)
}
