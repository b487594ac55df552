//! The client that speaks to the network.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Proxy, Response, Url};

use super::client::{HttpBody, HttpClient, HttpError, HttpResponse};
use super::reach::{Forbidden, Network, Reach, plain};
use super::request::HttpRequest;

/// Longest time that connecting takes, the looking up of the name and the beginning of TLS
/// included. Builder: [`NetworkClient::connect_timeout`].
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest time in which nothing comes from a server. Builder: [`NetworkClient::idle_timeout`].
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
/// Most headers of an answer.
pub const HEADERS_MAX: usize = 100;
/// Longest headers of an answer, names and values together.
pub const HEADERS_BYTES_MAX: usize = 64 << 10;

/// How loom names itself to servers, unless the call does.
const USER_AGENT: &str = concat!("loom/", env!("CARGO_PKG_VERSION"));
/// The variables that name proxies.
const PROXY_VARIABLES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

type Lookup = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// Speaks HTTP/1.1 to the network, with TLS that trusts what this machine trusts.
///
/// **Whom it calls.** Servers with public addresses, by https; and this machine, by http too, if
/// the call's address says so itself: `localhost`, a name below it, `127.0.0.0/8` or `::1`.
/// Everything else is refused: http to others, and private, link-local, shared, multicast and
/// reserved addresses, IPv4 ones within IPv6 ones included. A name is looked up once, each address
/// is checked, and the connection goes to one that passed, so a name that changes its mind gets
/// nowhere. This holds for each call that a redirect leads to as well.
/// [`allow_host`](Self::allow_host), [`allow_network`](Self::allow_network) and
/// [`allow_http`](Self::allow_http) let more through; [`refuse_this_machine`](Self::refuse_this_machine)
/// is for addresses that come from people who are not trusted.
///
/// **Proxies** are used only if asked for, for a proxy looks names up by itself.
///
/// **Bounds.** Connecting may take [`CONNECT_TIMEOUT`], silence [`IDLE_TIMEOUT`]. An answer of more
/// than [`HEADERS_MAX`] headers, or more than [`HEADERS_BYTES_MAX`] of them, is an error. Nothing is
/// ever decompressed, and servers are asked not to compress. Connections are kept for later calls.
///
/// ```
/// use loom_workers::{HttpBase, HttpRequest, NetworkClient};
/// use loom_core::Task;
///
/// let inside = NetworkClient::new().allow_network([10, 0, 0, 0], 8).allow_http();
/// let worker = HttpBase::new(|_: &Task| Ok(HttpRequest::get("http://10.1.2.3/health")))
///     .client(inside);
/// # let _: &dyn loom_core::Worker = &worker;
/// ```
pub struct NetworkClient {
    reach: Reach,
    lookup: Arc<Lookup>,
    proxies: Proxies,
    connect_timeout: Duration,
    idle_timeout: Duration,
    /// Made with the first call, which is where an error of making it can be told.
    client: OnceLock<Client>,
}

/// Who is asked to pass calls on.
enum Proxies {
    Nobody,
    One(String),
    OfTheEnvironment,
}

impl NetworkClient {
    /// A client that has no connections yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            reach: Reach::default(),
            lookup: Arc::new(look_up),
            proxies: Proxies::Nobody,
            connect_timeout: CONNECT_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            client: OnceLock::new(),
        }
    }

    /// Allows calls to this host, whatever its address is. By https, unless http is allowed too.
    #[must_use]
    pub fn allow_host(mut self, host: &str) -> Self {
        self.reach.hosts.push(plain(host));
        self
    }

    /// Allows calls to all addresses whose first `bits` are those of `first`. By https, unless
    /// http is allowed too.
    #[must_use]
    pub fn allow_network(mut self, first: impl Into<IpAddr>, bits: u8) -> Self {
        self.reach.networks.push(Network { first: first.into(), bits });
        self
    }

    /// Allows calls by http to all servers that may be called: anybody on the way can read and
    /// change them.
    #[must_use]
    pub fn allow_http(mut self) -> Self {
        self.reach.allows_http = true;
        self
    }

    /// Refuses calls to this machine, but for hosts and networks that are allowed by name.
    #[must_use]
    pub fn refuse_this_machine(mut self) -> Self {
        self.reach.refuses_this_machine = true;
        self
    }

    /// Has names looked up by `lookup`, on a thread where it may block. Default: as this machine
    /// looks names up. What it finds is checked all the same.
    #[must_use]
    pub fn lookup(
        mut self,
        lookup: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Self {
        self.lookup = Arc::new(lookup);
        self
    }

    /// Sends all calls by way of the proxy at `url`. Default: none.
    ///
    /// The proxy looks names up and connects, so that of a call's address only what stands in it
    /// is checked here, not what its name leads to: the proxy has to do that.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxies = Proxies::One(url.into());
        self
    }

    /// Sends calls by way of the proxies that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
    /// `NO_PROXY` name. Default: these variables are not looked at. As for what is checked then,
    /// see [`proxy`](Self::proxy).
    #[must_use]
    pub fn environment_proxies(mut self) -> Self {
        self.proxies = Proxies::OfTheEnvironment;
        self
    }

    /// Sets how long connecting may take. Default: [`CONNECT_TIMEOUT`].
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets for how long nothing may come, before the answer begins and within it. Default:
    /// [`IDLE_TIMEOUT`].
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    fn client(&self) -> Result<&Client, HttpError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = self.build().map_err(|error| HttpError::Invalid(Box::new(error)))?;
        Ok(self.client.get_or_init(|| client))
    }

    fn build(&self) -> reqwest::Result<Client> {
        let mut reach = self.reach.clone();
        // Left to follow redirects, it would hand keys in headers it does not know to other hosts.
        let builder = Client::builder()
            .redirect(Policy::none())
            .user_agent(USER_AGENT)
            .http1_max_headers(HEADERS_MAX)
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.idle_timeout);
        let builder = match &self.proxies {
            Proxies::Nobody => builder.no_proxy(),
            Proxies::One(url) => {
                reach.hosts.extend(host_of(url));
                builder.proxy(Proxy::all(url)?)
            }
            Proxies::OfTheEnvironment => {
                let named = PROXY_VARIABLES.iter().filter_map(|name| std::env::var(name).ok());
                reach.hosts.extend(named.filter_map(|url| host_of(&url)));
                builder
            }
        };
        builder.dns_resolver(Checked { reach, lookup: Arc::clone(&self.lookup) }).build()
    }
}

impl Default for NetworkClient {
    fn default() -> Self {
        Self::new()
    }
}

/// The host of a proxy, which is called wherever it is.
fn host_of(proxy: &str) -> Option<String> {
    let url = Url::parse(proxy).ok().filter(Url::has_host);
    let url = url.or_else(|| Url::parse(&format!("http://{proxy}")).ok())?;
    url.host_str().map(plain)
}

/// Looks a name up as this machine does.
fn look_up(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// Finds addresses that may be called, and no others.
struct Checked {
    reach: Reach,
    lookup: Arc<Lookup>,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, lookup) = (self.reach.clone(), Arc::clone(&self.lookup));
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let host = name.clone();
            let found = tokio::task::spawn_blocking(move || lookup(&name)).await??;
            Ok(admitted(&reach, &host, found)?)
        })
    }
}

/// Those of the addresses of `host` that may be called.
fn admitted(reach: &Reach, host: &str, found: Vec<IpAddr>) -> Result<Addrs, Forbidden> {
    let mut why = None;
    let mut may_be_called = Vec::new();
    for address in found {
        match reach.admit(host, address) {
            Ok(()) => may_be_called.push(SocketAddr::new(address, 0)),
            Err(forbidden) => why = Some(forbidden),
        }
    }
    match why {
        Some(why) if may_be_called.is_empty() => Err(why),
        _ => Ok(Box::new(may_be_called.into_iter())),
    }
}

#[async_trait]
impl HttpClient for NetworkClient {
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let invalid = |error: Box<dyn StdError + Send + Sync>| HttpError::Invalid(error);
        let method = Method::from_bytes(request.method.as_bytes());
        let method = method.map_err(|error| invalid(error.into()))?;
        let url = Url::parse(&request.url).map_err(|error| invalid(error.into()))?;
        self.reach.check(&url).map_err(|forbidden| HttpError::Refused(forbidden.0))?;
        let mut builder = self.client()?.request(method, url);
        if request.header_value("accept-encoding").is_none() {
            builder = builder.header("accept-encoding", "identity");
        }
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if !request.body.is_empty() {
            builder = builder.body(request.body.clone());
        }
        answer(builder.send().await.map_err(cannot)?)
    }
}

fn answer(response: Response) -> Result<HttpResponse, HttpError> {
    let headers = response.headers();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > HEADERS_BYTES_MAX {
        return Err(HttpError::Unusable("its headers are longer than 64 KiB"));
    }
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes())));
    Ok(HttpResponse {
        status: response.status().as_u16(),
        headers: headers.collect(),
        body: Box::new(response),
    })
}

/// An error shows no address, for there are keys in many.
fn cannot(error: reqwest::Error) -> HttpError {
    if let Some(Forbidden(why)) = forbidden(&error) {
        return HttpError::Refused(why);
    }
    let (is_invalid, is_late) = (error.is_builder(), error.is_timeout());
    let error = Box::new(error.without_url());
    match (is_invalid, is_late) {
        (true, _) => HttpError::Invalid(error),
        (_, true) => HttpError::Silent(error),
        _ => HttpError::Connection(error),
    }
}

/// What the looking up of a name has refused, if that is beneath `error`.
fn forbidden<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Forbidden> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(forbidden) = error.downcast_ref() {
            return Some(forbidden);
        }
        cause = error.source();
    }
    None
}

#[async_trait]
impl HttpBody for Response {
    async fn chunk(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        Ok(Self::chunk(self).await.map_err(cannot)?.map(Into::into))
    }
}

impl fmt::Debug for NetworkClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkClient")
            .field("reach", &self.reach)
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .finish_non_exhaustive()
    }
}
