//! A server that answers as a test says, also in ways that no good server would.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use loom_testkit::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// A call as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }

    fn parse(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Some(Self { method, path, headers, body: String::new() })
    }
}

/// What follows what was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// The connection is closed in good order.
    Close,
    /// The connection breaks.
    Reset,
    /// Nothing, until the client goes.
    Hang,
    /// This again and again, until the client goes.
    Flood(&'static str),
}

/// What is sent for a call.
pub(crate) struct Reply {
    bytes: Vec<u8>,
    end: End,
    is_slow: bool,
}

impl Reply {
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), end: End::Close, is_slow: false }
    }

    /// Byte by byte.
    pub(crate) fn slowly(mut self) -> Self {
        self.is_slow = true;
        self
    }

    /// A whole answer.
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        Self::raw(format!(
            "HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    }

    pub(crate) fn ok(body: &str) -> Self {
        Self::new(200, &[], body)
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::new(status, &[], "")
    }

    pub(crate) fn then(mut self, end: End) -> Self {
        self.end = end;
        self
    }
}

/// Listens on this machine until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// A client has gone before a reply had come to its end.
    pub(crate) left: Signal,
    received: watch::Sender<Vec<Received>>,
    sent: Arc<AtomicU64>,
    task: AbortHandle,
}

impl Server {
    /// Answers the n-th call, counted from 1, as `answer` says.
    pub(crate) async fn start(
        answer: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (received, left) = (watch::Sender::default(), Signal::new());
        let sent = Arc::default();
        let desk = Desk {
            answer: Box::new(answer),
            received: received.clone(),
            left: left.clone(),
            sent: Arc::clone(&sent),
        };
        let task = tokio::spawn(serve(listener, Arc::new(desk))).abort_handle();
        Self { address, left, received, sent, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many bytes went out after what was to be sent once.
    pub(crate) fn flooded(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.borrow().clone()
    }

    /// Returns when `count` calls have come.
    pub(crate) async fn calls(&self, count: usize) {
        let mut received = self.received.subscribe();
        received.wait_for(|received| received.len() >= count).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Answer = dyn Fn(usize, &Received) -> Reply + Send + Sync;

struct Desk {
    answer: Box<Answer>,
    received: watch::Sender<Vec<Received>>,
    left: Signal,
    sent: Arc<AtomicU64>,
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let desk = Arc::clone(&desk);
        connections.spawn(async move { attend(stream, &desk).await });
    }
}

async fn attend(mut stream: TcpStream, desk: &Desk) {
    // A client that goes in the middle of its call has not called.
    let Ok(Some(received)) = receive(&mut stream).await else { return };
    let mut number = 0;
    desk.received.send_modify(|all| {
        all.push(received.clone());
        number = all.len();
    });
    let reply = (desk.answer)(number, &received);
    if send(stream, reply, &desk.sent).await.is_none() {
        desk.left.raise();
    }
}

async fn receive(stream: &mut TcpStream) -> io::Result<Option<Received>> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let Some(mut received) = Received::parse(&text[..head]) else { return Ok(None) };
    let length = received.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = bytes.split_off(head + 4);
    while body.len() < length && stream.read_buf(&mut body).await? > 0 {}
    received.body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(received))
}

/// Nothing if the client went first.
async fn send(mut stream: TcpStream, reply: Reply, sent: &AtomicU64) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let at_once = if reply.is_slow { 1 } else { reply.bytes.len().max(1) };
    for piece in reply.bytes.chunks(at_once) {
        stream.write_all(piece).await.ok()?;
        tokio::task::yield_now().await;
    }
    match reply.end {
        End::Close => stream.shutdown().await.ok(),
        End::Reset => stream.set_zero_linger().ok(),
        End::Hang => stream.read(&mut [0]).await.ok().filter(|count| *count > 0).map(|_| ()),
        End::Flood(what) => flood(&mut stream, &what.repeat(4096 / what.len()), sent).await,
    }
}

async fn flood(stream: &mut TcpStream, what: &str, sent: &AtomicU64) -> Option<()> {
    loop {
        stream.write_all(what.as_bytes()).await.ok()?;
        sent.fetch_add(what.len() as u64, Ordering::Relaxed);
    }
}
