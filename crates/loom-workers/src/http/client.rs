//! The seam between the worker and what speaks HTTP for it.

use std::error::Error as StdError;
use std::fmt;

use async_trait::async_trait;

use super::request::{HttpRequest, value_of};

/// Why there is no answer, or not all of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The server could not be reached, or the connection broke. Another try may help.
    #[error("the connection failed")]
    Connection(#[source] Box<dyn StdError + Send + Sync>),
    /// Nothing came from the server for too long. Another try may help.
    #[error("the server took too long")]
    Silent(#[source] Box<dyn StdError + Send + Sync>),
    /// The call cannot be sent as it is. Another try would not help.
    #[error("the call cannot be sent")]
    Invalid(#[source] Box<dyn StdError + Send + Sync>),
    /// The server sends the call elsewhere, and it must not or need not go there.
    #[error("the redirect is not followed: {0}")]
    Redirect(&'static str),
    /// The client does not call this server. Another try would not help.
    #[error("the call is refused: {0}")]
    Refused(&'static str),
    /// There is an answer, but it is none to make anything of. Another try would not help.
    #[error("the answer cannot be used: {0}")]
    Unusable(&'static str),
}

impl HttpError {
    /// What went wrong, with the causes beneath.
    pub(super) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let said = error.to_string();
            // Wrapped errors often repeat the one inside.
            if !text.ends_with(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
            cause = error.source();
        }
        text
    }
}

/// The beginning of an answer, and where the rest of it comes from.
#[non_exhaustive]
pub struct HttpResponse {
    /// The status, such as 200.
    pub status: u16,
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Box<dyn HttpBody>,
}

impl HttpResponse {
    /// An answer of `status` without headers, and with an empty body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Box::new(None) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body to these bytes.
    #[must_use]
    pub fn body(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stream(Some(bytes.into()))
    }

    /// Sets where the body comes from.
    #[must_use]
    pub fn stream(mut self, body: impl HttpBody) -> Self {
        self.body = Box::new(body);
        self
    }

    /// The value of the first header of that name, in whatever case it is written.
    #[must_use]
    pub fn header_value(&self, name: &str) -> Option<&str> {
        value_of(&self.headers, name)
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The body of an answer, as it comes.
#[async_trait]
pub trait HttpBody: Send + 'static {
    /// Returns with the next bytes when they have come, and with `None` at the end.
    ///
    /// The call may be dropped; then the rest of the body is not wanted.
    ///
    /// # Errors
    /// The body ended before its end.
    async fn chunk(&mut self) -> Result<Option<Vec<u8>>, HttpError>;
}

/// Bytes that are there already, or none.
#[async_trait]
impl HttpBody for Option<Vec<u8>> {
    async fn chunk(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        Ok(self.take())
    }
}

/// Speaks HTTP. The default is [`NetworkClient`](super::NetworkClient); another one may go by a
/// gateway, or play a part in a test.
///
/// ```
/// use async_trait::async_trait;
/// use loom_workers::{HttpClient, HttpError, HttpRequest, HttpResponse};
///
/// struct AlwaysBusy;
///
/// #[async_trait]
/// impl HttpClient for AlwaysBusy {
///     async fn send(&self, _request: &HttpRequest) -> Result<HttpResponse, HttpError> {
///         Ok(HttpResponse::new(503).header("Retry-After", "30").body("come back later"))
///     }
/// }
/// # let _: &dyn HttpClient = &AlwaysBusy;
/// ```
#[async_trait]
pub trait HttpClient: Send + Sync + 'static {
    /// Sends a call, once, and returns when the head of the answer has come, whatever its status.
    ///
    /// Redirects, repeats and the call's timeout are the worker's business, not the client's. The
    /// call may be dropped, and the connection is given up then.
    ///
    /// # Errors
    /// There is no answer. The text of the error must not hold addresses or headers.
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError>;
}
