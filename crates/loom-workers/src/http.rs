//! The worker that makes calls over HTTP.

mod answer;
mod client;
mod events;
pub mod keys;
mod network;
mod reach;
mod redirect;
mod request;
mod retry;
mod said;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use loom_core::limits::RESULT_BYTES_MAX;
use loom_core::{
    CancelReason, CrashPolicy, QualityGate, RetryPolicy, Stream, Task, TaskContext, Worker,
    WorkerError, WorkerResult,
};
use loom_deps::{Clock, Rng, Timer};
use reqwest::Url;

use crate::intake::OutputSink;
use crate::time::Time;
use answer::{Answer, Seen, Select, Taking};
use redirect::Trail;
use retry::{Patience, Trouble};

pub use client::{HttpBody, HttpClient, HttpError, HttpResponse};
pub use events::HttpEvent;
pub use network::{CONNECT_TIMEOUT, HEADERS_BYTES_MAX, HEADERS_MAX, IDLE_TIMEOUT, NetworkClient};
pub use redirect::REDIRECTS_MAX;
pub use request::{HttpRequest, HttpResolver};
pub use retry::RETRY_AFTER_MAX;

/// Names a task to the server, so that it can tell a repeat of its call from another call.
pub const IDEMPOTENCY_HEADER: &str = "Idempotency-Key";
/// Names the trace that the call belongs to, if it belongs to one.
pub const TRACE_HEADER: &str = "traceparent";
/// Longest body that is kept. Builder: [`HttpBase::body_bytes_max`].
pub const BODY_BYTES_MAX: usize = RESULT_BYTES_MAX;
/// Longest wait before the first repeat within an attempt. Builder: [`HttpBase::backoff`].
pub const BACKOFF_BASE: Duration = Duration::from_millis(500);
/// Longest wait before any repeat within an attempt. Builder: [`HttpBase::backoff`].
pub const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// Makes a call for each task.
///
/// The result is the body of the answer, up to 8 MiB of it; what is no UTF-8 is replaced. Metadata
/// holds what [`keys`] names. Results are judged like those of functions, so that an empty body is
/// not accepted unless the [`gate`](Self::gate) says so.
///
/// **Repeats.** An attempt tries again, twice unless told otherwise, when there was no answer, not
/// all of it, or one of status 408, 425, 429 or 5xx: after a wait drawn by chance below a bound that
/// doubles from [`BACKOFF_BASE`] to [`BACKOFF_MAX`], and not before the time that `Retry-After`
/// names. If that is too far away, or the tries are used up, the error says when to come back, and
/// the task waits without holding a slot. All tries of a task, in all of its attempts, carry one
/// [`IDEMPOTENCY_HEADER`], the task's id, unless the request has its own; those of an attempt carry
/// one [`TRACE_HEADER`].
///
/// **Failures.** Other statuses fail the task. What had come of the answer is kept with the error,
/// also when the attempt is told to stop; the error's text names method, host and status, and
/// repeats the first 2 KiB of the answer without the secrets in it, the values of the call's own
/// headers, query and password among them.
///
/// **Streams.** Of a good answer of type `text/event-stream` the data of each event is the result,
/// an event a line, and its lines are the task's progress as they come; so are the lines of
/// `application/x-ndjson` and its like. [`select`](Self::select) picks what is wanted. An event
/// that the server did not finish is left out.
///
/// **Redirects** are followed, [`REDIRECTS_MAX`] times, not in a circle, never from https to http,
/// and never from another machine to this one. Another server than the one called gets none of the
/// headers that may hold a secret.
///
/// **Whom it calls** is up to the [`client`](Self::client). The default one calls public addresses
/// by https, and this machine; see [`NetworkClient`].
///
/// ```
/// use loom_core::{Task, WorkerError};
/// use loom_workers::{HttpBase, HttpRequest};
///
/// let key = "secret".to_owned();
/// let ask = HttpBase::new(move |task: &Task| {
///     let url = "https://api.example.com/v1/answers";
///     let body = serde_json::json!({ "question": task.prompt });
///     Ok(HttpRequest::post(url).header("Authorization", format!("Bearer {key}")).json(&body))
/// });
/// # let _: &dyn loom_core::Worker = &ask;
/// ```
pub struct HttpBase {
    resolver: Box<dyn HttpResolver>,
    client: Box<dyn HttpClient>,
    select: Option<Box<Select>>,
    tee: Option<Arc<dyn OutputSink>>,
    gate: Option<QualityGate>,
    crash_policy: CrashPolicy,
    policy: RetryPolicy,
    retry_after_max: Duration,
    body_bytes_max: usize,
    time: Time,
    rng: Rng,
}

impl HttpBase {
    /// Makes the calls that `resolver` names.
    pub fn new(resolver: impl HttpResolver) -> Self {
        let policy = RetryPolicy { base: BACKOFF_BASE, max: BACKOFF_MAX, ..RetryPolicy::default() };
        Self {
            resolver: Box::new(resolver),
            client: Box::new(NetworkClient::new()),
            select: None,
            tee: None,
            gate: None,
            crash_policy: CrashPolicy::default(),
            policy,
            retry_after_max: RETRY_AFTER_MAX,
            body_bytes_max: BODY_BYTES_MAX,
            time: Time::default(),
            rng: Rng::random(),
        }
    }

    /// Has another one speak HTTP. Default: [`NetworkClient`].
    #[must_use]
    pub fn client(mut self, client: impl HttpClient) -> Self {
        self.client = Box::new(client);
        self
    }

    /// Makes the result of what `select` says of each event of a stream, put together as it is;
    /// of an event of which it says nothing there is nothing. Lines of the result are reported as
    /// they are complete. Streams are bodies of server-sent events and of JSON lines.
    ///
    /// ```
    /// use loom_core::Task;
    /// use loom_workers::{HttpBase, HttpEvent, HttpRequest};
    ///
    /// let ask = HttpBase::new(|_: &Task| Ok(HttpRequest::get("https://api.example.com/stream")))
    ///     .select(|event: &HttpEvent| {
    ///         let data: serde_json::Value = serde_json::from_str(&event.data).ok()?;
    ///         data["delta"]["text"].as_str().map(str::to_owned)
    ///     });
    /// # let _: &dyn loom_core::Worker = &ask;
    /// ```
    #[must_use]
    pub fn select(
        mut self,
        select: impl Fn(&HttpEvent) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.select = Some(Box::new(select));
        self
    }

    /// Hands the bodies of answers on as they come, byte for byte, those of failed tries too, as
    /// what was written to standard output. Default: nobody gets them.
    #[must_use]
    pub fn tee(mut self, sink: Arc<dyn OutputSink>) -> Self {
        self.tee = Some(sink);
        self
    }

    /// Sets how results are judged. Default: as the engine judges.
    #[must_use]
    pub fn gate(mut self, gate: QualityGate) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Sets what becomes of a task whose process died. Default: [`CrashPolicy::Fail`].
    #[must_use]
    pub fn crash_policy(mut self, policy: CrashPolicy) -> Self {
        self.crash_policy = policy;
        self
    }

    /// Sets how often a call is repeated within an attempt. Default: 2. The engine's own retries
    /// come on top.
    #[must_use]
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.policy.max_retries = retries;
        self
    }

    /// Sets the longest wait before the first repeat within an attempt, and before any. Default:
    /// [`BACKOFF_BASE`] and [`BACKOFF_MAX`].
    #[must_use]
    pub fn backoff(mut self, base: Duration, max: Duration) -> Self {
        self.policy.base = base;
        self.policy.max = max;
        self
    }

    /// Sets how long a wait that a server asks for may be for the attempt to sit it out itself; for
    /// a longer one the task gives its slot back. Default: [`RETRY_AFTER_MAX`].
    #[must_use]
    pub fn retry_after_max(mut self, max: Duration) -> Self {
        self.retry_after_max = max;
        self
    }

    /// Sets how much of a body is kept, in bytes. Default: [`BODY_BYTES_MAX`]. The rest is not read.
    #[must_use]
    pub fn body_bytes_max(mut self, max: usize) -> Self {
        self.body_bytes_max = max;
        self
    }

    /// Sets the clock and the timer to go by. Default: those of this machine.
    #[must_use]
    pub fn time(mut self, clock: Arc<dyn Clock>, timer: Arc<dyn Timer>) -> Self {
        self.time = Time::new(clock, timer);
        self
    }

    /// Sets where the chance in waits comes from. Default: a source of its own.
    #[must_use]
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self
    }

    /// The task's call, with a name for it and the trace that it belongs to.
    fn request(&self, cx: &TaskContext, task: &Task) -> Result<HttpRequest, WorkerError> {
        let mut request = self.resolver.resolve(task)?;
        if request.header_value(IDEMPOTENCY_HEADER).is_none() {
            request = request.header(IDEMPOTENCY_HEADER, task.id.to_string());
        }
        match cx.trace_context() {
            Some(trace) if request.header_value(TRACE_HEADER).is_none() => {
                Ok(request.header(TRACE_HEADER, trace))
            }
            _ => Ok(request),
        }
    }

    /// Tries until it goes well or there is no use in going on.
    async fn call(&self, call: Call<'_>, seen: &mut Seen) -> Result<(), Trouble> {
        let mut retries = 0;
        loop {
            let Err(trouble) = self.one_try(call, seen).await else {
                return Ok(());
            };
            let left = call.cx.deadline().map(|deadline| deadline.since(self.time.now()));
            let (policy, retry_after_max) = (self.policy, self.retry_after_max);
            let patience = Patience { policy, retry_after_max, left };
            match retry::wait(&trouble, retries, &patience, self.rng.unit()) {
                Some(wait) => self.time.sleep(wait).await,
                None => return Err(trouble),
            }
            retries += 1;
        }
    }

    async fn one_try(&self, call: Call<'_>, seen: &mut Seen) -> Result<(), Trouble> {
        seen.tries += 1;
        let Some(timeout) = call.request.timeout else {
            return self.exchange(call, seen).await;
        };
        tokio::select! {
            biased;
            end = self.exchange(call, seen) => end,
            () = self.time.sleep(timeout) => Err(Trouble::Slow(timeout)),
        }
    }

    /// Sends the call and takes in the answer.
    async fn exchange(&self, call: Call<'_>, seen: &mut Seen) -> Result<(), Trouble> {
        let mut response = self.send(call.request).await.map_err(Trouble::Broken)?;
        let taking = self.taking(call.cx);
        let answer = seen.answer.insert(Answer::of(&response, taking));
        let is_good = answer::is_success(response.status);
        match answer::can_be_read(call.request, &response) {
            true => self.take(call, &mut response, answer).await.map_err(Trouble::Broken)?,
            false if is_good => return Err(Trouble::Broken(HttpError::Unusable(answer::PACKED))),
            false => {}
        }
        if is_good {
            return Ok(());
        }
        let wait = response.header_value("retry-after");
        let wait = wait.and_then(|text| retry::retry_after(text, self.time.now()));
        Err(Trouble::Status(response.status, wait))
    }

    /// Takes in the body, as far as there is room for it.
    async fn take(
        &self,
        call: Call<'_>,
        response: &mut HttpResponse,
        answer: &mut Answer,
    ) -> Result<(), HttpError> {
        let taking = self.taking(call.cx);
        let mut tee = self.tee.as_ref();
        while let Some(bytes) = response.body.chunk().await? {
            let has_room = answer.push(&bytes, taking);
            if let Some(sink) = tee {
                let end = sink.write(call.task, Stream::Stdout, &bytes).await;
                tee = tee.filter(|_| end.is_ok());
            }
            if !has_room {
                break;
            }
        }
        answer.finish(taking);
        Ok(())
    }

    fn taking<'a>(&'a self, cx: &'a TaskContext) -> Taking<'a> {
        Taking { cx, max: self.body_bytes_max, select: self.select.as_deref() }
    }

    /// Sends the call to where redirects lead it.
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut trail = Trail::default();
        trail.add(request)?;
        let mut response = self.client.send(request).await?;
        let mut request = redirect::next(request, &response)?;
        while let Some(next) = request {
            trail.add(&next)?;
            response = self.client.send(&next).await?;
            request = redirect::next(&next, &response)?;
        }
        Ok(response)
    }
}

/// A call, and on whose behalf it is made.
#[derive(Clone, Copy)]
struct Call<'a> {
    cx: &'a TaskContext,
    task: &'a Task,
    request: &'a HttpRequest,
}

/// Method and host: what may be told of a call.
fn target(request: &HttpRequest) -> Result<String, WorkerError> {
    let refused = |why: &str| {
        WorkerError::permanent(format!("the address of the call {why}; give one of https or http"))
    };
    let url = Url::parse(&request.url).map_err(|error| refused(&format!("is none: {error}")))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(refused("has another scheme"));
    }
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{} {host}{port}", request.method))
}

/// The error of an attempt that was told to stop after `took`.
fn stopped(reason: Option<CancelReason>, took: Duration) -> WorkerError {
    match reason {
        Some(CancelReason::Timeout) => WorkerError::timeout(format!("timed out after {took:?}")),
        _ => WorkerError::cancelled(),
    }
}

#[async_trait]
impl Worker for HttpBase {
    async fn execute(&self, cx: &TaskContext, task: &Task) -> Result<WorkerResult, WorkerError> {
        let request = self.request(cx, task)?;
        let target = target(&request)?;
        let started = self.time.now();
        let mut seen = Seen::default();
        let call = Call { cx, task, request: &request };
        let end = tokio::select! {
            biased;
            () = cx.cancellation().cancelled() => None,
            end = self.call(call, &mut seen) => Some(end),
        };
        let took = self.time.now().since(started);
        let result = seen.into_result(task, took);
        let error = match end {
            Some(Ok(())) => return Ok(result),
            Some(Err(trouble)) => {
                trouble.to_error(&target, &said::by_server(&result.content, task, &request))
            }
            None => stopped(cx.cancellation().reason(), task.timeout.unwrap_or(took)),
        };
        Err(error.with_output(result))
    }

    fn gate(&self) -> Option<QualityGate> {
        self.gate.clone()
    }

    fn crash_policy(&self) -> CrashPolicy {
        self.crash_policy
    }
}

impl fmt::Debug for HttpBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBase")
            .field("gate", &self.gate)
            .field("crash_policy", &self.crash_policy)
            .field("policy", &self.policy)
            .field("retry_after_max", &self.retry_after_max)
            .field("body_bytes_max", &self.body_bytes_max)
            .finish_non_exhaustive()
    }
}
