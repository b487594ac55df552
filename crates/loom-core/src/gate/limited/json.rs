//! Error objects.
//!
//! Keys are compared without case and separators: `errorCode`, `error_code` and `ErrorCode` are one.

use serde_json::{Map, Value};

use super::claim::{self, Needs};
use super::lines::is_other_error;
use super::plain;

/// How deep errors stand in errors.
const DEPTH_MAX: usize = 6;
/// Most entries of a list that are read.
const ENTRIES_MAX: usize = 8;
/// Longest text that is a message.
const TEXT_BYTES_MAX: usize = 2400;

/// Keys that only errors have.
const ERRORS: [&str; 17] = [
    "error",
    "errors",
    "err",
    "fault",
    "exception",
    "type_",
    "errorcode",
    "errortype",
    "errorname",
    "errno",
    "errcode",
    "failure",
    "errorinfo",
    "errordetails",
    "errorsummary",
    "fehler",
    "erreur",
];

/// Keys under which an error has further errors.
const INSIDE: [&str; 14] = [
    "details",
    "body",
    "raw",
    "result",
    "cause",
    "extensions",
    "metadata",
    "response",
    "data",
    "content",
    "fault",
    "issues",
    "innererror",
    "info",
];

/// How keys end under which an error has its own words.
const WORDS: [&str; 14] = [
    "message",
    "msg",
    "detail",
    "description",
    "title",
    "reason",
    "text",
    "cause",
    "faultstring",
    "hint",
    "meldung",
    "mensaje",
    "information",
    "note",
];

/// Keys that hold the name or the number of an error.
const CODES: [&str; 20] = [
    "type",
    "code",
    "status",
    "reason",
    "errorcode",
    "statuscode",
    "httpstatus",
    "httpcode",
    "httpstatuscode",
    "type_",
    "errortype",
    "id",
    "error",
    "name",
    "domain",
    "subcode",
    "ret",
    "errcode",
    "cod",
    "retcode",
];

/// What else an object may consist of that is an error although no key says so.
const BESIDE: [&str; 31] = [
    "moreinfo",
    "requestid",
    "documentationurl",
    "retryafter",
    "instance",
    "path",
    "timestamp",
    "correlationid",
    "policyname",
    "category",
    "object",
    "global",
    "param",
    "ok",
    "success",
    "level",
    "ts",
    "time",
    "retryaftersecs",
    "retryafterseconds",
    "retryafterms",
    "help",
    "docs",
    "url",
    "link",
    "traceid",
    "retryable",
    "severity",
    "service",
    "limit",
    "remaining",
];

/// Keys that name what an error is about: a field of a request, a place, a thing.
const POINTS: [&str; 20] = [
    "field",
    "fields",
    "param",
    "parameter",
    "argument",
    "property",
    "attribute",
    "key",
    "path",
    "pointer",
    "loc",
    "location",
    "target",
    "resource",
    "resourcename",
    "url",
    "uri",
    "instance",
    "scope",
    "permission",
];

/// Keys of objects that describe other objects.
const DESCRIBES: [&str; 3] = ["$schema", "openapi", "swagger"];

/// What the object says of a limit, if it is an error and about one. `sure` wants it to say itself
/// that it is an error.
pub(super) fn says(value: &Value, sure: bool) -> Option<String> {
    let object = value.as_object()?;
    if let Some(only) = wrapped(object) {
        return says(only, sure);
    }
    if went_well(object) || DESCRIBES.iter().any(|key| object.contains_key(*key)) {
        return None;
    }
    let is_error = is_error(object);
    let is_lean = !sure && (is_lean(object) || has_status(object) && has_message(object));
    if !is_error && !is_lean {
        return None;
    }
    let mut said =
        Said { text: String::new(), found: false, strict: !is_error && !is_failure(object) };
    said.read(value, 0);
    // What is left of the object helps to tell its kind and when the limit resets.
    said.found.then(|| format!("{}\n{value}", said.text))
}

/// The object that another one wraps and says nothing about.
fn wrapped(object: &Map<String, Value>) -> Option<&Value> {
    let (key, only) = object.iter().next().filter(|_| object.len() == 1)?;
    let key = plain_key(key);
    let is_error = ERRORS.contains(&key.as_str()) || is_words(&key);
    (only.is_object() && !is_error).then_some(only)
}

/// A key without case and separators. Two underscores before `type` are Amazon's way to say error.
fn plain_key(key: &str) -> String {
    if key == "__type" {
        return "type_".to_owned();
    }
    let letters = key.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).take(32).collect()
}

fn went_well(object: &Map<String, Value>) -> bool {
    let names_error = object
        .iter()
        .any(|(key, value)| ERRORS.contains(&plain_key(key).as_str()) && is_something(value));
    object.iter().any(|(key, value)| match (plain_key(key).as_str(), value) {
        ("iserror", Value::Bool(flag)) => !flag,
        ("success" | "ok", Value::Bool(flag)) => *flag,
        ("status" | "state" | "outcome", Value::String(word)) => {
            ["ok", "success", "succeeded", "completed", "complete", "done"]
                .contains(&word.to_ascii_lowercase().as_str())
        }
        ("status" | "statuscode" | "code", Value::Number(code)) => {
            !names_error && code.as_u64().is_some_and(|code| (200..300).contains(&code))
        }
        _ => false,
    })
}

fn is_error(object: &Map<String, Value>) -> bool {
    object.iter().any(|(key, value)| {
        let key = plain_key(key);
        match (key.as_str(), value) {
            (key, value) if ERRORS.contains(&key) => is_something(value),
            ("iserror", Value::Bool(flag)) => *flag,
            ("success" | "ok", Value::Bool(flag)) => !flag,
            (
                "type" | "object" | "level" | "status" | "severity" | "state" | "event" | "kind"
                | "outcome" | "lvl",
                Value::String(word),
            ) => is_bad(word) || is_limit(word),
            ("code" | "reason" | "title", Value::String(word)) => is_limit(word),
            _ => false,
        }
    })
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty() && !object.values().all(Value::is_number),
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_i64() != Some(0),
        Value::Bool(true) => true,
    }
}

/// Whether the name of an error is about a limit: one word, but of several.
fn is_limit(word: &str) -> bool {
    let is_name = !word.contains([' ', '/'])
        && word.chars().skip(1).any(|c| c == '_' || c == '-' || c.is_uppercase());
    is_name && claim::claims(&claim::row(word)).iter().any(|claim| claim.needs == Needs::Nothing)
}

/// Whether the word for how things are says that they are bad.
fn is_bad(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    ["error", "err", "fatal", "failed", "failure", "critical", "fail", "rate_limited"]
        .iter()
        .any(|bad| word == *bad || word.ends_with(&format!(".{bad}")))
        || word.ends_with("_error")
        || word.ends_with("exception")
}

fn is_lean(object: &Map<String, Value>) -> bool {
    object.iter().map(|(key, value)| (plain_key(key), value)).all(|(key, value)| {
        let key = key.as_str();
        is_empty(value)
            || INSIDE.contains(&key) && key != "data" && key != "content"
            || is_words(key) && key != "text"
            || CODES.contains(&key) && (key != "name" || value.as_str().is_some_and(is_limit))
            || BESIDE.contains(&key)
            || key.ends_with("id")
            || key.starts_with("message")
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

/// Whether an error has its own words under this key.
fn is_words(key: &str) -> bool {
    WORDS.iter().any(|end| key.ends_with(end)) || key.starts_with("message")
}

/// Whether one of the keys holds the number or the name of what went wrong.
fn has_status(object: &Map<String, Value>) -> bool {
    object.iter().any(|(key, value)| {
        let key = plain_key(key);
        let is_number =
            ["status", "code", "cod", "ret", "errno"].iter().any(|end| key.ends_with(end));
        is_number
            && (is_status(value) || value.as_i64().is_some_and(|code| !(0..400).contains(&code)))
    })
}

/// Whether an object is lean and has the number of a failure: an error, although no key says so.
fn is_failure(object: &Map<String, Value>) -> bool {
    is_lean(object) && has_status(object) && has_message(object)
}

fn has_message(object: &Map<String, Value>) -> bool {
    object.keys().any(|key| is_words(&plain_key(key)))
}

/// Whether a number, or a text that begins with one, is the status of a limit.
fn is_status(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            matches!(number.as_i64(), Some(429 | -429 | 529 | 1015 | 10429 | 20429))
        }
        Value::String(text) => text.starts_with("429") || text.starts_with("529"),
        _ => false,
    }
}

/// What has been read of an object.
struct Said {
    text: String,
    found: bool,
    /// Whether texts must refuse, not only mention a limit.
    strict: bool,
}

impl Said {
    fn read(&mut self, value: &Value, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        match value {
            Value::Array(list) => {
                list.iter().take(ENTRIES_MAX).for_each(|one| self.read(one, depth + 1));
            }
            Value::Object(object) => self.read_object(object, depth),
            Value::String(text) => self.read_text(text, depth),
            _ => {}
        }
    }

    fn read_object(&mut self, object: &Map<String, Value>, depth: usize) {
        // A name beside an id is a list of words; a code beside a message is an error.
        let is_entry = depth == 0 && object.contains_key("name") && !has_message(object);
        for (key, value) in object {
            let key = plain_key(key);
            let is_code = CODES.contains(&key.as_str()) && !is_entry && is_code(value);
            let is_named = !self.strict
                && !POINTS.contains(&key.as_str())
                && value.as_str().is_some_and(is_limit);
            self.found |= is_code || is_named;
            if ERRORS.contains(&key.as_str()) || INSIDE.contains(&key.as_str()) || is_words(&key) {
                self.read(value, depth + 1);
            }
        }
    }

    fn read_text(&mut self, text: &str, depth: usize) {
        if let Ok(inner @ Value::Object(_)) = serde_json::from_str(text) {
            self.read(&inner, depth + 1);
        }
        let says = || match self.strict || is_other_error(text) {
            true => plain::says(text, true).is_some(),
            false => claim::mentions(text) || plain::says(text, true).is_some(),
        };
        if text.len() <= TEXT_BYTES_MAX && says() {
            self.found = true;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }
}

fn is_code(value: &Value) -> bool {
    is_status(value) || value.as_str().is_some_and(claim::names)
}
