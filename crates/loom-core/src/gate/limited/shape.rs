//! What kind of text a message is.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::lines::{is_header, is_marked, is_source};
use super::stance::announces;
use crate::pattern::pattern;
use crate::text::first_bytes;

/// A text up to this length may be a message as a whole; of a longer one only its end.
pub(super) const SHORT_CHARS_MAX: usize = 600;

/// Beyond this, a text is looked at from its end only.
const LOOKED_AT_BYTES_MAX: usize = 64 << 10;

/// A text by its structure.
pub(super) enum Shape {
    /// One object that says how things ended.
    Object(Value),
    /// A page or a document with tags: what it says first of all.
    Markup(String),
    /// Lines; whether few.
    Text(bool),
}

impl Shape {
    pub(super) fn of(text: &str) -> Self {
        if let Some(object) = object(text) {
            return Self::Object(object);
        }
        if let Some(title) = markup(text) {
            return Self::Markup(title);
        }
        Self::Text(is_short(text))
    }
}

/// Whether a text may be a message as a whole.
pub(super) fn is_short(text: &str) -> bool {
    text.chars().nth(SHORT_CHARS_MAX).is_none()
}

/// Colours, and the boxes that some tools draw around what they say.
static COLOUR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\r$|(?m:^[─-╿]+ ?)")
});

/// The end of `text` that is looked at, without colours and blanks around.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let start = text.len().saturating_sub(LOOKED_AT_BYTES_MAX);
    let end = &text[text.ceil_char_boundary(start)..];
    let is_encoded = end.contains("%20") && !end.trim().contains(char::is_whitespace);
    match COLOUR.replace_all(end.trim(), "") {
        text if is_encoded => Cow::Owned(text.replace("%20", " ")),
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// The object that a text consists of, or the last of its lines or events of objects.
fn object(text: &str) -> Option<Value> {
    if text.starts_with(['{', '[']) {
        if let Ok(value) = serde_json::from_str::<Value>(text) {
            return Some(single(value));
        }
        return lines_of_objects(text);
    }
    let is_stream = ["event:", "data:", "id:", ": "].iter().any(|start| text.starts_with(start));
    is_stream.then(|| events(text))?
}

/// How many places are tried at which the last object of a text may begin.
const BEGINNINGS_MAX: usize = 6;
/// Longest object at the end of a text, with the line before it.
const LAST_OBJECT_BYTES_MAX: usize = 8 << 10;
/// A name before an object has at most so many words.
const NAME_WORDS_MAX: usize = 2;
/// Longest rest of a line after an object.
const REST_BYTES_MAX: usize = 160;

/// The object in which a text ends, whatever stands before it: on its last line or on several, and
/// behind words that call it an error if the text is not short. With it comes whether all that
/// stands before it is a name.
pub(super) fn last_object(text: &str, short: bool) -> Option<(Value, bool)> {
    let start = text.len().saturating_sub(LAST_OBJECT_BYTES_MAX);
    let end = &text[text.ceil_char_boundary(start)..];
    let first = |line: &str| line.find(['{', '[']).filter(|_| !is_inside(line));
    let mut offset = 0;
    let mut beginnings: Vec<usize> = Vec::new();
    for line in end.split_inclusive('\n') {
        beginnings.extend(first(line).map(|column| offset + column));
        offset += line.len();
    }
    let tried = beginnings.iter().rev().take(BEGINNINGS_MAX).chain(beginnings.first());
    tried.copied().find_map(|begin| object_at(end, begin, short))
}

/// Whether a line belongs to an object that began before it.
fn is_inside(line: &str) -> bool {
    let trimmed = line.trim_start();
    let is_field = trimmed.starts_with(['"', '}', ']', '\'']);
    is_field || trimmed.len() < line.len() && trimmed.starts_with(['{', '['])
}

fn object_at(text: &str, begin: usize, short: bool) -> Option<(Value, bool)> {
    let (before, rest) = text.split_at_checked(begin)?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    let value = single(values.next()?.ok()?);
    let after = rest.get(values.byte_offset()..)?.trim();
    let is_last = after.len() <= REST_BYTES_MAX && !after.contains("```");
    let mut lines = before.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.next().unwrap_or_default();
    let stands_alone = before.ends_with('\n');
    let prose = std::iter::once(line).chain(lines).find(|line| !is_header(line));
    let prose = prose.filter(|line| stands_alone || line.ends_with([':', '.']));
    let introduces =
        line.starts_with("```") || prose.is_some_and(|line| !is_marked(line) && announces(line));
    let anchored = short || stands_alone || is_marked(line);
    let named = short && before.split_whitespace().count() <= NAME_WORDS_MAX;
    let is_code = line.ends_with(['=', '(', ',']) && is_source(line);
    (value.is_object() && is_last && anchored && !introduces && !is_code).then_some((value, named))
}

/// A list of one is its one; more of them say nothing, unless all are errors.
fn single(value: Value) -> Value {
    match value {
        Value::Array(mut list) if list.len() == 1 => list.pop().unwrap_or_default(),
        Value::Array(list)
            if !list.is_empty() && list.iter().all(|one| one.get("error").is_some()) =>
        {
            list.into_iter().next_back().unwrap_or_default()
        }
        value => value,
    }
}

/// The last object of a text whose lines are objects. Of the others only the one before is looked
/// at: a long output is cut at its start.
fn lines_of_objects(text: &str) -> Option<Value> {
    let mut lines = text.lines().rev().filter(|line| !line.trim().is_empty());
    let last = serde_json::from_str::<Value>(lines.next()?).ok().filter(Value::is_object)?;
    lines.next().is_none_or(|line| line.trim_start().starts_with('{')).then_some(last)
}

fn events(text: &str) -> Option<Value> {
    let data = text.lines().rev().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    let mut data = data.filter(|data| *data != "[DONE]");
    serde_json::from_str(data.next()?).ok()
}

static MARKUP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?:<!doctype html|<\?xml|<html|<head|<body|<center|<error|<h1|<title)")
});
static TITLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"<(?:\w+:)?(?:title|h1|h2|h3|code|message|msg|faultstring|reason|error|errorcode|error_code|error_message|status|detail|description)[^>]*>\s*([^<]{1,300}?)\s*</",
    )
});
/// Longest page whose headings are read.
const PAGE_BYTES_MAX: usize = 16 << 10;

/// The headings of a page, one a line.
fn markup(text: &str) -> Option<String> {
    if !MARKUP.is_match(text) {
        return None;
    }
    let page = first_bytes(text, PAGE_BYTES_MAX);
    let titles: Vec<&str> =
        TITLE.captures_iter(page).filter_map(|found| Some(found.get(1)?.as_str())).collect();
    Some(titles.join("\n"))
}
