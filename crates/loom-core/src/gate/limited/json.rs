//! Error objects.

use serde_json::{Map, Value};

use super::words;

/// How deep errors stand in errors.
const DEPTH_MAX: usize = 5;

/// The fields that hold the code of an error.
const CODES: [&str; 16] = [
    "type",
    "code",
    "status",
    "reason",
    "error_code",
    "errorCode",
    "statusCode",
    "status_code",
    "__type",
    "errorType",
    "errorcode",
    "id",
    "error",
    "Reason",
    "Code",
    "domain",
];

/// The fields that hold its text.
const TEXTS: [&str; 15] = [
    "message",
    "Message",
    "detail",
    "description",
    "title",
    "msg",
    "error",
    "error_description",
    "raw",
    "faultstring",
    "errorMessage",
    "errors",
    "result",
    "error_message",
    "body",
];

/// The fields that hold further errors.
const NESTED: [&str; 9] =
    ["error", "errors", "details", "detail", "extensions", "fault", "message", "metadata", "body"];

/// What an object without an `error` may consist of if it is one itself.
const OF_ERRORS: [&str; 40] = [
    "status",
    "code",
    "statusCode",
    "status_code",
    "message",
    "Message",
    "msg",
    "error",
    "title",
    "detail",
    "details",
    "type",
    "Type",
    "description",
    "more_info",
    "request_id",
    "requestId",
    "documentation_url",
    "retry_after",
    "retryAfter",
    "instance",
    "path",
    "timestamp",
    "__type",
    "reason",
    "Reason",
    "errorCode",
    "errorMessage",
    "errorType",
    "correlationId",
    "policyName",
    "category",
    "id",
    "object",
    "global",
    "param",
    "ok",
    "success",
    "level",
    "ts",
];

/// What the object says of a limit, if it is an error and about one.
pub(super) fn says(value: &Value) -> Option<String> {
    let object = value.as_object()?;
    if went_well(object) {
        return None;
    }
    let is_error = is_error(object);
    let lean = object.keys().all(|key| OF_ERRORS.contains(&key.as_str()));
    if !is_error && !lean {
        return None;
    }
    let mut said = Said { text: String::new(), found: false, strict: !is_error };
    said.read(value, 0);
    // What is left of the object helps to tell its kind and when the limit resets.
    said.found.then(|| {
        if said.text.is_empty() { value.to_string() } else { format!("{}\n{value}", said.text) }
    })
}

fn went_well(object: &Map<String, Value>) -> bool {
    let flag = |key: &str| object.get(key).and_then(Value::as_bool);
    let word = object.get("status").and_then(Value::as_str).unwrap_or_default();
    flag("is_error") == Some(false)
        || flag("success") == Some(true)
        || flag("ok") == Some(true)
        || ["ok", "success", "succeeded", "completed", "done"].contains(&word)
        || object
            .get("status")
            .and_then(Value::as_u64)
            .is_some_and(|code| (200..300).contains(&code))
}

fn is_error(object: &Map<String, Value>) -> bool {
    let word = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let flag = |key: &str| object.get(key).and_then(Value::as_bool);
    let holds = |key: &str| match object.get(key) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    ["error", "errors", "fault", "__type", "Reason", "errorCode", "error_code", "errorType"]
        .into_iter()
        .any(holds)
        || ["error", "turn.failed", "rate_limited", "RATE_LIMITED"].contains(&word("type"))
        || word("object") == "error"
        || ["error", "fatal"].contains(&word("level"))
        || word("status") == "error"
        || flag("is_error") == Some(true)
        || flag("ok") == Some(false)
        || flag("success") == Some(false)
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
            Value::Array(list) => list.iter().take(8).for_each(|one| self.read(one, depth + 1)),
            Value::Object(object) => self.read_object(object, depth),
            _ => {}
        }
    }

    fn read_object(&mut self, object: &Map<String, Value>, depth: usize) {
        // A name beside an id is a list of words; a code beside a message is an error.
        let is_entry = depth == 0 && object.contains_key("name") && !object.contains_key("message");
        if !is_entry && CODES.iter().filter_map(|key| object.get(*key)).any(is_code) {
            self.found = true;
        }
        for text in TEXTS.iter().filter_map(|key| object.get(*key)?.as_str()) {
            self.read_text(text, depth);
        }
        for nested in NESTED.iter().filter_map(|key| object.get(*key)) {
            self.read(nested, depth + 1);
        }
    }

    fn read_text(&mut self, text: &str, depth: usize) {
        if let Ok(inner @ Value::Object(_)) = serde_json::from_str(text) {
            self.read(&inner, depth + 1);
        }
        let short = text.len() <= super::shape::SHORT_CHARS_MAX * 4;
        let says = if self.strict { words::refuses(text) } else { words::mentions(text) };
        if short && (says || words::refuses(text)) {
            self.found = true;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }
}

fn is_code(value: &Value) -> bool {
    match value {
        Value::Number(number) => matches!(number.as_u64(), Some(429 | 529 | 1015 | 10429 | 20429)),
        Value::String(word) => {
            let is_word = word.len() <= 100 && !word.contains(' ');
            let number = matches!(word.as_str(), "429" | "529");
            is_word && (number || words::mentions(word) || is_name(word))
        }
        _ => false,
    }
}

/// Names that are no words of a sentence.
fn is_name(word: &str) -> bool {
    let word = word.rsplit(['#', '.']).next().unwrap_or(word).to_ascii_lowercase();
    let word = word.replace(['_', '-'], "");
    [
        "ratelimit",
        "ratelimited",
        "toomanyrequests",
        "throttled",
        "throttling",
        "slowdown",
        "overloaded",
        "quotaexceeded",
        "ratelimitreachederror",
        "exceededcurrentquotaerror",
        "throttlingerror",
    ]
    .contains(&word.as_str())
}
