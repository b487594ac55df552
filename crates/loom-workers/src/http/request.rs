//! What to send.

use std::fmt;
use std::time::Duration;

use loom_core::{Task, WorkerError};

/// A call over HTTP.
///
/// `Debug` shows the method and the names of the headers: addresses, values and bodies hold keys
/// and prompts.
///
/// ```
/// use loom_workers::HttpRequest;
///
/// let request = HttpRequest::post("https://api.example.com/v1/answers")
///     .header("Authorization", "Bearer key")
///     .json(&serde_json::json!({ "question": "why?" }));
/// assert_eq!(request.body, br#"{"question":"why?"}"#);
/// assert_eq!(request.header_value("content-type"), Some("application/json"));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The method, such as `GET`.
    pub method: String,
    /// The address, beginning with `https://` or `http://`.
    pub url: String,
    /// Headers, in order. What else is needed (`Host`, `Content-Length`) comes by itself.
    pub headers: Vec<(String, String)>,
    /// The body. Default: empty.
    pub body: Vec<u8>,
    /// How long one try may take, from the connecting to the last byte of the answer's body; a try
    /// that takes longer is repeated. Default: as long as the attempt may.
    pub timeout: Option<Duration>,
}

impl HttpRequest {
    /// A call of `method` to `url`.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: None,
        }
    }

    /// Asks for what is at `url`.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// Sends something to `url`.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to this JSON, and says so in a header.
    #[must_use]
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.header("Content-Type", "application/json").body(value.to_string())
    }

    /// Sets how long one try may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The value of the first header of that name, in whatever case it is written.
    #[must_use]
    pub fn header_value(&self, name: &str) -> Option<&str> {
        value_of(&self.headers, name)
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("headers", &names)
            .field("body", &self.body.len())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// The value of the first header of that name; their case does not matter.
pub(super) fn value_of<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut named = headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.as_str())
}

/// Says which call a task stands for. Closures will do.
pub trait HttpResolver: Send + Sync + 'static {
    /// The call for `task`.
    ///
    /// # Errors
    /// The error becomes the attempt's.
    fn resolve(&self, task: &Task) -> Result<HttpRequest, WorkerError>;
}

impl<F> HttpResolver for F
where
    F: Fn(&Task) -> Result<HttpRequest, WorkerError> + Send + Sync + 'static,
{
    fn resolve(&self, task: &Task) -> Result<HttpRequest, WorkerError> {
        self(task)
    }
}
