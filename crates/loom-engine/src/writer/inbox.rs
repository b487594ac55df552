//! Gathering what waits, and carrying it through times in which the store is away.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use loom_core::StoreError;
use loom_core::limits::{BATCH_BYTES_MAX, BATCH_OPS_MAX, STORE_WAIT_MAX, WRITE_QUEUE_MAX};
use tokio::sync::mpsc;

use super::commit::Commit;
use super::{Poll, Request};
use crate::context::Context;

/// The wait before a failed commit is tried again, and how far it grows.
const TRY_AGAIN_MIN: Duration = Duration::from_millis(20);
const TRY_AGAIN_MAX: Duration = Duration::from_secs(1);

/// The writer's end of the queues.
pub(crate) struct Inbox {
    changes: mpsc::Receiver<Request>,
    inserts: mpsc::Receiver<Request>,
    polls: mpsc::Receiver<Poll>,
    /// New tasks taken from their queue while the store was away.
    held: VecDeque<Request>,
}

/// What goes into one commit.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) requests: Vec<Request>,
    pub(super) polls: Vec<Poll>,
    bytes: usize,
}

impl Gathered {
    fn has_room(&self) -> bool {
        self.requests.len() < BATCH_OPS_MAX && self.bytes < BATCH_BYTES_MAX
    }

    fn add(&mut self, request: Request) {
        self.bytes = self.bytes.saturating_add(request.bytes());
        self.requests.push(request);
    }
}

impl Inbox {
    pub(super) fn new(
        changes: mpsc::Receiver<Request>,
        inserts: mpsc::Receiver<Request>,
        polls: mpsc::Receiver<Poll>,
    ) -> Self {
        Self { changes, inserts, polls, held: VecDeque::new() }
    }

    /// The writer's work: commits until it is told to stop and nothing waits any more.
    pub(crate) async fn run(mut self, cx: Arc<Context>) {
        let mut number = 0;
        while let Some(gathered) = self.gather(&cx).await {
            number += 1;
            self.settle(&cx, Commit::new(&cx, number, gathered)).await;
        }
    }

    /// Waits for something to do, then takes what else is there.
    async fn gather(&mut self, cx: &Context) -> Option<Gathered> {
        let mut gathered = Gathered::default();
        if self.held.is_empty() {
            self.first(cx, &mut gathered).await?;
        }
        while gathered.has_room() {
            let next = self.changes.try_recv().ok();
            let next = next.or_else(|| self.held.pop_front());
            match next.or_else(|| self.inserts.try_recv().ok()) {
                Some(request) => gathered.add(request),
                None => break,
            }
        }
        gathered.polls.extend(self.polls.try_recv());
        Some(gathered)
    }

    async fn first(&mut self, cx: &Context, gathered: &mut Gathered) -> Option<()> {
        loop {
            tokio::select! {
                biased;
                Some(request) = self.changes.recv() => gathered.add(request),
                Some(request) = self.inserts.recv() => gathered.add(request),
                Some(poll) = self.polls.recv() => gathered.polls.push(poll),
                () = cx.closing.writer_stops(), if !self.changes.is_closed() => {
                    self.close();
                    continue;
                }
                // Every queue is closed and empty.
                else => return None,
            }
            return Some(());
        }
    }

    /// Takes nothing new; what waits is still done.
    fn close(&mut self) {
        self.changes.close();
        self.inserts.close();
        self.polls.close();
    }

    /// Commits, however often it takes.
    async fn settle(&mut self, cx: &Arc<Context>, mut commit: Commit) {
        let mut wait = TRY_AGAIN_MIN;
        loop {
            let error = match cx.store.commit(commit.batch()).await {
                Ok(committed) => return commit.done(cx, committed),
                Err(error) => error,
            };
            if !matches!(error, StoreError::Unavailable { .. } | StoreError::Unknown { .. }) {
                return commit.failed(cx, &error);
            }
            if wait == TRY_AGAIN_MIN {
                cx.recorder.trouble("a commit failed and is tried again", &error);
            }
            commit.refuse_overdue(cx, &error);
            self.refuse_overdue(cx, &error);
            if commit.is_pointless() {
                return;
            }
            cx.sleep(wait).await;
            wait = (wait * 2).min(TRY_AGAIN_MAX);
            commit.renew_claim(cx);
        }
    }

    /// New tasks do not wait for ever while the store is away.
    fn refuse_overdue(&mut self, cx: &Context, error: &StoreError) {
        while self.held.len() < WRITE_QUEUE_MAX
            && let Ok(request) = self.inserts.try_recv()
        {
            self.held.push_back(request);
        }
        let now = cx.now();
        let overdue = |request: &Request| now.since(request.since) >= STORE_WAIT_MAX;
        let (refused, held) = self.held.drain(..).partition::<Vec<_>, _>(overdue);
        self.held.extend(held);
        for request in refused {
            request.refuse(error);
        }
    }
}
