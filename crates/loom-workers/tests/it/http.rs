//! Calls over HTTP, to a server on this machine and to clients that play a part.

mod answers;
mod misbehaving;
mod reach;
mod redirects;
mod retries;
mod server;
mod stopping;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use loom_core::{Task, TaskContext, TaskRequest, Worker, WorkerError, WorkerResult};
use loom_deps::{Clock, FakeClock, Sleep, Timer, Timestamp};
use loom_testkit::within;
use loom_workers::{HttpBase, HttpClient, HttpError, HttpRequest, HttpResponse};
use tokio::sync::watch;

use crate::support::{LONG, task};

/// A task of an HTTP worker.
fn asking(prompt: &str) -> Task {
    task(TaskRequest::new("ask", prompt))
}

/// A worker that sends the same request for every task.
fn sends(request: HttpRequest) -> HttpBase {
    HttpBase::new(move |_: &Task| Ok(request.clone()))
}

/// A worker that gets what is at `url`.
fn gets(url: impl Into<String>) -> HttpBase {
    sends(HttpRequest::get(url))
}

async fn run(worker: &HttpBase) -> Result<WorkerResult, WorkerError> {
    within(LONG, worker.execute(&TaskContext::new(), &asking("why?"))).await
}

/// A clock whose waits are over at once, or never, and which remembers them.
#[derive(Debug)]
struct Naps {
    clock: FakeClock,
    taken: watch::Sender<Vec<Duration>>,
    is_endless: bool,
}

impl Naps {
    /// Each wait is over at once.
    fn short() -> Arc<Self> {
        Arc::new(Self {
            clock: FakeClock::default(),
            taken: watch::Sender::default(),
            is_endless: false,
        })
    }

    /// No wait is ever over.
    fn endless() -> Arc<Self> {
        Arc::new(Self {
            clock: FakeClock::default(),
            taken: watch::Sender::default(),
            is_endless: true,
        })
    }

    fn taken(&self) -> Vec<Duration> {
        self.taken.borrow().clone()
    }

    /// Returns when somebody waits.
    async fn somebody_waits(&self) {
        self.taken.subscribe().wait_for(|taken| !taken.is_empty()).await.unwrap();
    }
}

impl Clock for Naps {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Timer for Naps {
    fn sleep_until(&self, until: Timestamp) -> Sleep {
        self.taken.send_modify(|taken| taken.push(until.since(self.clock.now())));
        if self.is_endless {
            return Box::pin(std::future::pending());
        }
        self.clock.set(until);
        Box::pin(std::future::ready(()))
    }
}

/// Has a worker go by these naps.
fn napping(worker: HttpBase, naps: &Arc<Naps>) -> HttpBase {
    worker.time(Arc::clone(naps) as Arc<dyn Clock>, Arc::clone(naps) as Arc<dyn Timer>)
}

/// A client that answers as a function does.
struct Pretend<F>(F);

#[async_trait]
impl<F> HttpClient for Pretend<F>
where
    F: Fn(&HttpRequest) -> Result<HttpResponse, HttpError> + Send + Sync + 'static,
{
    async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        (self.0)(request)
    }
}
