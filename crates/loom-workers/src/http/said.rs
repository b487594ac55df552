//! What an error repeats of an answer.

use loom_core::{Redactor, Task, first_bytes};
use reqwest::Url;

use super::redirect::is_for_anybody;
use super::request::HttpRequest;
use super::{IDEMPOTENCY_HEADER, TRACE_HEADER};

/// How much of an answer an error repeats.
const SAID_BYTES_MAX: usize = 2 << 10;
/// How much of an answer is looked at for it. More, for what is secret is not cut in two.
const LOOKED_AT_BYTES_MAX: usize = 64 << 10;

/// The beginning of what the server said, on one line and without the secrets in it.
pub(super) fn by_server(body: &str, task: &Task, request: &HttpRequest) -> String {
    let body = first_bytes(body.trim(), LOOKED_AT_BYTES_MAX);
    if body.is_empty() {
        return String::new();
    }
    let said = redactor(task, request).redact(body).replace(char::is_control, " ");
    first_bytes(said.trim(), SAID_BYTES_MAX).to_owned()
}

/// Knows the secrets that the call itself brought along: servers like to repeat them.
fn redactor(task: &Task, request: &HttpRequest) -> Redactor {
    let redactor = Redactor::new().with_env(&task.env, |name| std::env::var(name).ok());
    let is_secret = |name: &str| {
        !is_for_anybody(name)
            && !name.eq_ignore_ascii_case(IDEMPOTENCY_HEADER)
            && !name.eq_ignore_ascii_case(TRACE_HEADER)
    };
    let headers = request.headers.iter().filter(|(name, _)| is_secret(name));
    // A scheme, such as Bearer, may stand before the secret itself.
    let values = headers.flat_map(|(_, value)| {
        [value.as_str(), value.split_once(' ').map_or("", |(_, secret)| secret)]
    });
    let redactor = values.fold(redactor, Redactor::with_secret);
    let Ok(url) = Url::parse(&request.url) else { return redactor };
    let redactor = redactor.with_secret(url.password().unwrap_or_default());
    url.query_pairs().fold(redactor, |redactor, (_, value)| redactor.with_secret(&value))
}
