//! Where a call goes on to, and what it takes there.

use reqwest::Url;

use super::client::{HttpError, HttpResponse};
use super::reach::is_this_machine;
use super::request::HttpRequest;

/// Redirects that one try follows.
pub const REDIRECTS_MAX: u32 = 10;

/// Headers that hold no secrets: the only ones that another server gets to see.
const FOR_ANYBODY: [&str; 6] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "content-language",
    "content-type",
    "user-agent",
];

/// Where one try has been.
#[derive(Debug, Default)]
pub(super) struct Trail(Vec<(String, String)>);

impl Trail {
    /// Adds a call that is about to be made, unless the try would go on for ever.
    pub(super) fn add(&mut self, request: &HttpRequest) -> Result<(), HttpError> {
        let call = (request.method.clone(), request.url.clone());
        if self.0.contains(&call) {
            return Err(HttpError::Redirect("it leads in a circle"));
        }
        if self.0.len() > REDIRECTS_MAX as usize {
            return Err(HttpError::Redirect("there were too many before it"));
        }
        self.0.push(call);
        Ok(())
    }
}

/// The call that `response` sends `request` on to, if it does.
///
/// Browsers and other clients agree: 303 turns a call into a `GET`, and so do 301 and 302 with a
/// `POST`; the others repeat it.
pub(super) fn next(
    request: &HttpRequest,
    response: &HttpResponse,
) -> Result<Option<HttpRequest>, HttpError> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.header_value("location") else {
        return Ok(None);
    };
    let from = Url::parse(&request.url).map_err(|error| HttpError::Invalid(Box::new(error)))?;
    let to = from.join(location);
    let to = to.map_err(|_| HttpError::Redirect("its address cannot be read"))?;
    check(&from, &to)?;
    let mut next = request.clone();
    if from.origin() != to.origin() {
        next.headers.retain(|(name, _)| is_for_anybody(name));
    }
    if becomes_get(&request.method, response.status) {
        "GET".clone_into(&mut next.method);
        next.body.clear();
        next.headers.retain(|(name, _)| !is_about_body(name));
    }
    next.url = to.into();
    Ok(Some(next))
}

fn check(from: &Url, to: &Url) -> Result<(), HttpError> {
    match (from.scheme(), to.scheme()) {
        ("https", "http") => Err(HttpError::Redirect("it leads from https to http")),
        // A server elsewhere must not have this machine call what only this machine can.
        (_, "https" | "http") if is_this_machine(to) && !is_this_machine(from) => {
            Err(HttpError::Redirect("it leads from another machine to this one"))
        }
        (_, "https" | "http") => Ok(()),
        _ => Err(HttpError::Redirect("it leads to neither https nor http")),
    }
}

fn becomes_get(method: &str, status: u16) -> bool {
    match status {
        303 => method != "HEAD",
        301 | 302 => method == "POST",
        _ => false,
    }
}

/// Whether a header of that name holds no secret.
pub(super) fn is_for_anybody(name: &str) -> bool {
    FOR_ANYBODY.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn is_about_body(name: &str) -> bool {
    name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("content-"))
}
