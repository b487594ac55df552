//! The end of an engine, in its steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use loom_core::limits::CREATED_DELIVERY_MAX;
use loom_core::{CancelReason, Error, Result};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::context::Context;

/// How far the end has come.
pub(crate) struct Closing {
    /// No new submissions.
    closed: CancellationToken,
    /// Whether recovery has been made, so that tasks may be claimed.
    open: AtomicBool,
    /// No further claims.
    claims: CancellationToken,
    /// The last claim has been made.
    claimed: CancellationToken,
    /// The writer does what waits and stops.
    writer: CancellationToken,
    /// The instance has left; nothing is written any more.
    left: watch::Sender<bool>,
    submitting: AtomicUsize,
    submitted: Notify,
}

/// A submission under way: the engine does not leave before it has been answered.
pub(crate) struct Submitting<'a>(&'a Closing);

impl Closing {
    pub(crate) fn new() -> Self {
        Self {
            closed: CancellationToken::new(),
            open: AtomicBool::new(false),
            claims: CancellationToken::new(),
            claimed: CancellationToken::new(),
            writer: CancellationToken::new(),
            left: watch::Sender::new(false),
            submitting: AtomicUsize::new(0),
            submitted: Notify::new(),
        }
    }

    /// Begins a submission, unless the engine is closed.
    pub(crate) fn submit(&self) -> Result<Submitting<'_>> {
        // Counted before it is asked, so that a close which is not seen here sees the count.
        self.submitting.fetch_add(1, Ordering::SeqCst);
        let submitting = Submitting(self);
        if self.closed.is_cancelled() { Err(Error::Closed) } else { Ok(submitting) }
    }

    async fn all_submitted(&self) {
        loop {
            let submitted = self.submitted.notified();
            tokio::pin!(submitted);
            submitted.as_mut().enable();
            if self.submitting.load(Ordering::SeqCst) == 0 {
                return;
            }
            submitted.await;
        }
    }

    /// From now on tasks are claimed.
    pub(crate) fn open_claims(&self) {
        self.open.store(true, Ordering::Release);
    }

    pub(crate) fn claims_stopped(&self) -> bool {
        self.claims.is_cancelled() || !self.open.load(Ordering::Acquire)
    }

    /// Returns when the last claim has been made: what waits then waits for another start.
    pub(crate) async fn claims_over(&self) {
        self.claimed.cancelled().await;
    }

    /// Returns when the writer should stop.
    pub(crate) async fn writer_stops(&self) {
        self.writer.cancelled().await;
    }

    pub(crate) fn has_left(&self) -> bool {
        *self.left.borrow()
    }

    /// Returns when the instance has left.
    pub(crate) async fn left(&self) {
        // The sender is part of `self` and so cannot be gone.
        let _ = self.left.subscribe().wait_for(|left| *left).await;
    }
}

impl Drop for Submitting<'_> {
    fn drop(&mut self) {
        if self.0.submitting.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.submitted.notify_waiters();
        }
    }
}

/// Begins the end, once; it comes about on its own, whoever stops waiting for it.
pub(crate) fn begin(cx: &Arc<Context>, writer: impl FnOnce() -> Option<WriterTask>) {
    cx.closing.closed.cancel();
    if let Some(writer) = writer() {
        cx.runtime.spawn(finish(Arc::clone(cx), writer));
    }
}

/// The task in which the writer works.
pub(crate) type WriterTask = tokio::task::JoinHandle<()>;

async fn finish(cx: Arc<Context>, writer: WriterTask) {
    cx.closing.all_submitted().await;
    cx.closing.claims.cancel();
    // A commit under way may still carry a claim: what it starts is waited for, too.
    cx.writer.poll().await;
    cx.closing.claimed.cancel();
    cx.dispatch.all_ended().await;
    cx.closing.writer.cancel();
    if let Err(error) = writer.await {
        cx.recorder.trouble("the writer ended before its time", &error);
    }
    if let Some(membership) = cx.membership.write().await.take()
        && let Err(error) = membership.leave().await
    {
        cx.recorder.trouble("the instance could not leave the store in order", &error);
    }
    if let Err(error) = cx.store.close().await {
        cx.recorder.trouble("the store could not be closed in order", &error);
    }
    let told = cx.recorder.bus.delivered(cx.recorder.sequence());
    if cx.within(CREATED_DELIVERY_MAX, told).await.is_none() {
        cx.recorder.bus.stuck(CREATED_DELIVERY_MAX);
    }
    cx.recorder.bus.close();
    cx.closing.left.send_replace(true);
    cx.waiters.end_all();
}

/// Waits for the end, at most for `wait`.
pub(crate) async fn ended_within(cx: &Context, wait: Duration) -> Result<()> {
    match cx.within(wait, cx.closing.left()).await {
        Some(()) => Ok(()),
        None => Err(Error::StillRunning { tasks: cx.dispatch.running() }),
    }
}

/// Waits for attempts to end by themselves, at most for `grace`, then tells them to stop.
pub(crate) async fn stop_attempts(cx: &Context, grace: Duration) {
    if cx.within(grace, cx.closing.left()).await.is_none() {
        cx.dispatch.cancel_all(CancelReason::Shutdown);
    }
}
