//! Gathering what waits, and carrying it through times in which the store is away.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use loom_core::StoreError;
use loom_core::limits::{BATCH_BYTES_MAX, BATCH_OPS_MAX, WRITE_QUEUE_MAX};
use tokio::sync::mpsc;

use super::commit::{Commit, Durable};
use super::{Poll, Request};
use crate::context::Context;

/// The wait before a failed commit is tried again, and how far it grows.
const TRY_AGAIN_MIN: Duration = Duration::from_millis(20);
const TRY_AGAIN_MAX: Duration = Duration::from_secs(1);

/// How often others are let go first for the sake of what they are about to send. A commit costs far
/// more than to wait for those who are ready to run; most often an end and the submission that
/// follows it come within microseconds of each other, and share a commit then.
const YIELDS_MAX: usize = 2;

/// So many operations must wait before a commit is begun without first telling of the one before.
/// A few are better committed together with what those will send who have not been told yet.
const MUCH_MIN: usize = 64;

/// The writer's end of the queues.
pub(crate) struct Inbox {
    changes: mpsc::Receiver<Request>,
    inserts: mpsc::Receiver<Request>,
    polls: mpsc::Receiver<Poll>,
    /// What was taken from the queues while the store was away.
    held_changes: VecDeque<Request>,
    held_inserts: VecDeque<Request>,
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

    fn add(&mut self, mut request: Request) {
        self.bytes = self.bytes.saturating_add(request.bytes());
        let then = request.then.take();
        self.requests.push(request);
        if let Some(then) = then {
            self.add(*then);
        }
    }
}

impl Inbox {
    pub(super) fn new(
        changes: mpsc::Receiver<Request>,
        inserts: mpsc::Receiver<Request>,
        polls: mpsc::Receiver<Poll>,
    ) -> Self {
        let (held_changes, held_inserts) = (VecDeque::new(), VecDeque::new());
        Self { changes, inserts, polls, held_changes, held_inserts }
    }

    /// The writer's work: commits until it is told to stop and nothing waits any more.
    pub(crate) async fn run(mut self, cx: Arc<Context>) {
        let mut number = 0;
        let mut untold = None;
        while let Some(gathered) = self.next(&cx, &mut untold).await {
            number += 1;
            let commit = Commit::new(&cx, number, gathered);
            untold = self.settle(&cx, commit, untold).await;
        }
    }

    /// What goes into the next commit. If much waits already, the commit before it is told of while
    /// the store is at work; else at once, for then those who are told have the next word.
    async fn next(&mut self, cx: &Arc<Context>, untold: &mut Option<Durable>) -> Option<Gathered> {
        let much = untold.as_ref().map_or(0, |durable| durable.ops() / 2).max(MUCH_MIN);
        if self.waiting() < much {
            if let Some(durable) = untold.take() {
                durable.tell(cx);
            }
            return self.gather(cx).await;
        }
        let mut gathered = Gathered::default();
        self.add_waiting(&mut gathered);
        gathered.polls.extend(self.polls.try_recv());
        Some(gathered)
    }

    fn waiting(&self) -> usize {
        let held = self.held_changes.len() + self.held_inserts.len();
        self.changes.len() + self.inserts.len() + held
    }

    /// Waits for something to do, then takes what else is there or about to come.
    async fn gather(&mut self, cx: &Context) -> Option<Gathered> {
        let mut gathered = Gathered::default();
        if self.held_changes.is_empty() && self.held_inserts.is_empty() {
            self.first(cx, &mut gathered).await?;
        }
        self.add_waiting(&mut gathered);
        for _ in 0..YIELDS_MAX {
            let before = gathered.requests.len();
            tokio::task::yield_now().await;
            self.add_waiting(&mut gathered);
            if gathered.requests.len() == before {
                break;
            }
        }
        gathered.polls.extend(self.polls.try_recv());
        Some(gathered)
    }

    /// Takes what waits, as far as there is room.
    fn add_waiting(&mut self, gathered: &mut Gathered) {
        while gathered.has_room() {
            let next = self.held_changes.pop_front().or_else(|| self.changes.try_recv().ok());
            let next = next.or_else(|| self.held_inserts.pop_front());
            match next.or_else(|| self.inserts.try_recv().ok()) {
                Some(request) => gathered.add(request),
                None => break,
            }
        }
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

    /// Commits, however often it takes; meanwhile tells of the commit before. Returns what is to be
    /// told of this one.
    async fn settle(
        &mut self,
        cx: &Arc<Context>,
        mut commit: Commit,
        mut untold: Option<Durable>,
    ) -> Option<Durable> {
        let mut wait = TRY_AGAIN_MIN;
        loop {
            let before = untold.take();
            // The store is asked first, and has begun by the time it would be waited for.
            let telling = async { before.into_iter().for_each(|durable| durable.tell(cx)) };
            let (committed, ()) = futures_util::join!(cx.store.commit(commit.batch()), telling);
            let error = match committed {
                Ok(committed) => return Some(commit.done(cx, committed)),
                Err(error) => error,
            };
            if !matches!(error, StoreError::Unavailable { .. } | StoreError::Unknown { .. }) {
                commit.failed(cx, &error);
                return None;
            }
            if wait == TRY_AGAIN_MIN {
                cx.recorder.trouble("a commit failed and is tried again", &error);
            }
            commit.refuse_overdue(cx, &error);
            self.refuse_overdue(cx, &error);
            if commit.is_pointless() {
                return None;
            }
            cx.sleep(wait).await;
            wait = (wait * 2).min(TRY_AGAIN_MAX);
            commit.renew_claim(cx);
        }
    }

    /// What somebody waits for does not wait for ever while the store is away. Ends of attempts do.
    fn refuse_overdue(&mut self, cx: &Context, error: &StoreError) {
        let now = cx.now();
        hold(&mut self.changes, &mut self.held_changes);
        hold(&mut self.inserts, &mut self.held_inserts);
        for held in [&mut self.held_changes, &mut self.held_inserts] {
            let all = held.drain(..);
            let (overdue, rest) = all.partition::<Vec<_>, _>(|request| request.is_overdue(now));
            held.extend(rest);
            for request in overdue {
                request.refuse(error);
            }
        }
    }
}

/// Takes out of its queue what waits there, as much as may be held.
fn hold(queue: &mut mpsc::Receiver<Request>, held: &mut VecDeque<Request>) {
    while held.len() < WRITE_QUEUE_MAX
        && let Ok(request) = queue.try_recv()
    {
        held.push_back(request);
    }
}
