//! The client that speaks to the network.

use std::fmt;
use std::sync::OnceLock;

use async_trait::async_trait;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};

use super::client::{HttpBody, HttpClient, HttpError, HttpResponse};
use super::request::HttpRequest;

/// How loom names itself to servers, unless the call does.
const USER_AGENT: &str = concat!("loom/", env!("CARGO_PKG_VERSION"));

/// Speaks HTTP/1.1 to the network, with TLS that trusts what this machine trusts.
///
/// Connections are kept for later calls. The proxies that the environment names (`HTTPS_PROXY`,
/// `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`) are used. An answer of more than 100 headers, or with a
/// head of more than about 400 KiB, is an error.
#[derive(Default)]
pub struct NetworkClient {
    /// Made with the first call, which is where an error of making it can be told.
    client: OnceLock<Client>,
}

impl NetworkClient {
    /// A client that has no connections yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn client(&self) -> Result<&Client, HttpError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Left to follow redirects, it would hand keys in headers it does not know to other hosts.
        let builder = Client::builder().redirect(Policy::none()).user_agent(USER_AGENT);
        let client = builder.build().map_err(|error| HttpError::Invalid(Box::new(error)))?;
        Ok(self.client.get_or_init(|| client))
    }
}

#[async_trait]
impl HttpClient for NetworkClient {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let method = Method::from_bytes(request.method.as_bytes());
        let method = method.map_err(|error| HttpError::Invalid(Box::new(error)))?;
        let mut builder = self.client()?.request(method, &request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if !request.body.is_empty() {
            builder = builder.body(request.body.clone());
        }
        Ok(answer(builder.send().await.map_err(cannot)?))
    }
}

fn answer(response: Response) -> HttpResponse {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), text(value.as_bytes())));
    HttpResponse {
        status: response.status().as_u16(),
        headers: headers.collect(),
        body: Box::new(response),
    }
}

/// An error shows no address, for there are keys in many.
fn cannot(error: reqwest::Error) -> HttpError {
    let is_invalid = error.is_builder();
    let error = Box::new(error.without_url());
    if is_invalid { HttpError::Invalid(error) } else { HttpError::Connection(error) }
}

#[async_trait]
impl HttpBody for Response {
    async fn chunk(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        Ok(Self::chunk(self).await.map_err(cannot)?.map(Into::into))
    }
}

impl fmt::Debug for NetworkClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkClient").finish_non_exhaustive()
    }
}
