//! Following what a task prints.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use loom_core::{Error, OutputChunk, OutputPage, OutputStore, Result, TaskId, TaskStore};
use loom_deps::{Clock, SystemClock, SystemTimer, Timer};

use crate::context::Context;
use crate::waiters::end_of;

/// How often it is looked for output of other processes.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How much is read at once.
const PAGE_BYTES: usize = 256 << 10;

/// What a task prints, as it comes; ends when the task has ended and all has been read.
///
/// Cancel safe: what [`next`](Follow::next) would have returned is returned by the next call.
pub struct Follow {
    chunks: BoxStream<'static, Result<OutputChunk>>,
}

impl Follow {
    /// Follows a task without an engine, from a position on, 0 being the beginning: for programs
    /// that only look. The store must have been prepared.
    ///
    /// A task whose process has died is waited for until an engine has taken care of it.
    pub fn in_store(store: Arc<dyn TaskStore>, task: TaskId, position: u64) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let timer: Arc<dyn Timer> = Arc::new(SystemTimer::new(Arc::clone(&clock)));
        let pause = move || {
            let timer = Arc::clone(&timer);
            let until = clock.now().saturating_add(LOOK_AGAIN);
            Box::pin(async move { timer.sleep_until(until).await }) as BoxFuture<'static, ()>
        };
        let (output, id) = (store.output(), task.clone());
        let end = async move { end_in(&*store, &id).await };
        Self::new(output, task, position, Box::pin(end), Box::new(pause))
    }

    pub(crate) fn in_engine(cx: Arc<Context>, task: TaskId, position: u64) -> Self {
        let (output, id, ender) = (cx.output.clone(), task.clone(), Arc::clone(&cx));
        let end = async move { end_of(&ender, &id, || {}).await.map(|_| ()) };
        let pause = move || {
            let cx = Arc::clone(&cx);
            Box::pin(async move { cx.sleep(LOOK_AGAIN).await }) as BoxFuture<'static, ()>
        };
        Self::new(output, task, position, Box::pin(end), Box::new(pause))
    }

    fn new(
        output: Option<Arc<dyn OutputStore>>,
        task: TaskId,
        position: u64,
        end: BoxFuture<'static, Result<()>>,
        pause: Pause,
    ) -> Self {
        let (ready, end) = (VecDeque::new(), Some(end));
        let following =
            Following { output, task, position, ready, end, pause, failure: None, is_over: false };
        let next = |mut following: Following| async {
            let next = following.next().await?;
            Some((next, following))
        };
        Self { chunks: stream::unfold(following, next).boxed() }
    }

    /// The next chunk, as soon as there is one; `None` when the task has ended and all has been
    /// read. Cancel safe.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a task that is unknown, or was removed meanwhile; [`Error::Closed`]
    /// if the engine closes before the task's end; [`Error::Store`] and [`Error::Output`] for what
    /// cannot be read. Nothing comes after an error.
    pub async fn next(&mut self) -> Option<Result<OutputChunk>> {
        self.chunks.next().await
    }
}

impl Stream for Follow {
    type Item = Result<OutputChunk>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.poll_next_unpin(cx)
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").finish_non_exhaustive()
    }
}

type Pause = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

struct Following {
    output: Option<Arc<dyn OutputStore>>,
    task: TaskId,
    position: u64,
    ready: VecDeque<OutputChunk>,
    /// Returns when the task has ended; gone then.
    end: Option<BoxFuture<'static, Result<()>>>,
    pause: Pause,
    /// To be told when all has been read.
    failure: Option<Error>,
    is_over: bool,
}

impl Following {
    async fn next(&mut self) -> Option<Result<OutputChunk>> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                return Some(Ok(chunk));
            }
            if self.is_over {
                return None;
            }
            // Asked before it is read, so that nothing which comes with the end is missed.
            let has_ended = self.end.is_none();
            match self.page().await {
                Ok(page) => {
                    self.position = page.next;
                    self.ready = page.chunks.into();
                }
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
            if self.ready.is_empty() && has_ended {
                self.is_over = true;
                return self.failure.take().map(Err);
            }
            if self.ready.is_empty() {
                self.news().await;
            }
        }
    }

    async fn page(&mut self) -> Result<OutputPage> {
        match &self.output {
            Some(output) => Ok(output.read(&self.task, self.position, PAGE_BYTES).await?),
            None => Ok(OutputPage { chunks: Vec::new(), next: self.position }),
        }
    }

    /// Returns when there may be more, or the task has ended.
    async fn news(&mut self) {
        let Self { output, end, pause, task, position, .. } = self;
        let Some(ending) = end else { return };
        let grown = async {
            match output {
                Some(output) => output.grown(task, *position).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            ended = ending => {
                self.end = None;
                self.failure = ended.err();
            }
            () = grown => {}
            () = pause() => {}
        }
    }
}

/// Returns when a task has ended, as far as can be seen in the store.
async fn end_in(store: &dyn TaskStore, task: &TaskId) -> Result<()> {
    loop {
        let found = store.get(std::slice::from_ref(task)).await?.pop();
        let found = found.ok_or_else(|| Error::NotFound(task.clone()))?;
        if found.status.is_terminal() {
            return Ok(());
        }
        store.changed().await?;
    }
}
