//! One commit, from its requests to their answers.

use std::sync::Arc;

use loom_core::limits::STORE_WAIT_MAX;
use loom_core::{Applied, Batch, CancelReason, Committed, Op, StoreError, Task, TaskId};
use loom_deps::Timestamp;

use super::inbox::Gathered;
use super::{Answer, Poll, Receipt, Request};
use crate::context::Context;
use crate::dispatch::Admitted;
use crate::seat::Seat;
use crate::slots::Slot;

/// A batch and those who wait for it.
pub(super) struct Commit {
    /// The operations of the requests in their order, and a claim at the end.
    batch: Batch,
    /// The task that each operation is about, where that is known.
    about: Vec<Option<Arc<Task>>>,
    /// Who waits for each operation but the claim.
    pending: Vec<Pending>,
    polls: Vec<Poll>,
    /// The batch may be on disk: it must be sent again as it is.
    unknown: bool,
}

/// A commit that has been made and is still to be told of.
pub(super) struct Durable {
    batch: Batch,
    about: Vec<Option<Arc<Task>>>,
    answers: Vec<Option<Answer>>,
    polls: Vec<Poll>,
    committed: Committed,
    admitted: Admitted,
}

struct Pending {
    since: Option<Timestamp>,
    slot: Option<Slot>,
    answer: Option<Answer>,
}

impl Request {
    /// About how much text is to be stored.
    pub(super) fn bytes(&self) -> usize {
        match &self.op {
            Op::Insert(task) => task.request.prompt.len(),
            Op::Import(task) => {
                let task = task.as_task();
                let error = task.error.as_ref().map_or(0, String::len);
                task.prompt.len() + task.result.len() + error
            }
            Op::Apply(transition) => transition.ended.result.len(),
            _ => 0,
        }
    }

    /// Whether it has waited for the store for too long. Only the ends of attempts may.
    pub(super) fn is_overdue(&self, now: Timestamp) -> bool {
        is_overdue(self.since, now)
    }

    /// Answers that this was not stored: it was in no batch.
    pub(super) fn refuse(self, error: &StoreError) {
        let source = error.to_string().into();
        answer(self.answer, Err(StoreError::Unavailable { source }));
    }
}

impl Commit {
    pub(super) fn new(cx: &Context, number: u64, gathered: Gathered) -> Self {
        let count = gathered.requests.len();
        let mut commit = Self {
            batch: Batch {
                instance: cx.instance.clone(),
                number,
                ops: Vec::with_capacity(count + 1),
            },
            about: Vec::with_capacity(count + 1),
            pending: Vec::with_capacity(count),
            polls: gathered.polls,
            unknown: false,
        };
        for Request { op, about, since, slot, answer, then: _ } in gathered.requests {
            commit.batch.ops.push(op);
            commit.about.push(about);
            commit.pending.push(Pending { since, slot, answer });
        }
        commit.push_claim(cx);
        commit
    }

    pub(super) const fn batch(&self) -> &Batch {
        &self.batch
    }

    fn push_claim(&mut self, cx: &Context) {
        self.tell_seats(cx, Seat::expect_end);
        let ending: Vec<&Slot> = self.pending.iter().filter_map(|it| it.slot.as_ref()).collect();
        let claim = cx.dispatch.claim(cx, &ending);
        self.batch.ops.push(Op::Claim(claim));
        self.about.push(None);
    }

    /// Tells the attempts that wait for tasks which end here.
    fn tell_seats(&self, cx: &Context, tell: impl Fn(&Seat, &TaskId)) {
        for (pending, op) in self.pending.iter().zip(&self.batch.ops) {
            if let (Op::Apply(transition), Some(_)) = (op, &pending.slot)
                && transition.kind.target().is_terminal()
            {
                let seats = cx.waiters.seats(&transition.task);
                seats.iter().for_each(|seat| tell(seat, &transition.task));
            }
        }
    }

    /// Time has passed: claims as of now, unless the batch may be on disk already.
    pub(super) fn renew_claim(&mut self, cx: &Context) {
        if !self.unknown {
            self.batch.ops.pop();
            self.about.pop();
            self.push_claim(cx);
        }
    }

    /// Takes in that the commit failed; refuses what has waited for too long. Ends of attempts are
    /// never refused.
    pub(super) fn refuse_overdue(&mut self, cx: &Context, error: &StoreError) {
        self.unknown |= matches!(error, StoreError::Unknown { .. });
        let now = cx.now();
        for index in (0..self.pending.len()).rev() {
            let pending = &mut self.pending[index];
            if !is_overdue(pending.since, now) {
                continue;
            }
            answer(pending.answer.take(), Err(same(error, self.batch.number, self.unknown)));
            if !self.unknown {
                self.pending.remove(index);
                self.about.remove(index);
                self.batch.ops.remove(index);
            }
        }
        if !self.unknown {
            // The claim was not made. It is renewed before the next try.
            cx.dispatch.slots.settled();
        }
    }

    /// Whether nothing is left that anybody needs.
    pub(super) fn is_pointless(&self) -> bool {
        self.pending.is_empty() && self.polls.is_empty() && !self.unknown
    }

    /// The commit is durable: frees and takes slots, so that the next claim knows what room there is.
    pub(super) fn done(self, cx: &Context, committed: Committed) -> Durable {
        let mut slots = Vec::new();
        let mut answers = Vec::with_capacity(self.pending.len());
        let applied = self.batch.ops.iter().zip(&committed.applied);
        for (pending, (op, applied)) in self.pending.into_iter().zip(applied) {
            if let (Op::Apply(transition), Some(slot)) = (op, pending.slot) {
                cx.dispatch.ended(&transition.task, transition.epoch);
                if !matches!(applied, Applied::Changed { to, .. } if to.is_terminal()) {
                    let seats = cx.waiters.seats(&transition.task);
                    seats.iter().for_each(|seat| seat.expect_no_end(&transition.task));
                }
                slots.push(slot);
            }
            answers.push(pending.answer);
        }
        let admitted = cx.dispatch.admit(&committed);
        // Only now, so that nobody sees all slots free while tasks pass from one attempt to the next.
        drop(slots);
        cx.dispatch.slots.settled();
        let (batch, about, polls) = (self.batch, self.about, self.polls);
        Durable { batch, about, answers, polls, committed, admitted }
    }

    /// The store will not take the batch, now or later.
    pub(super) fn failed(self, cx: &Context, error: &StoreError) {
        cx.recorder.trouble("the store refused a commit for good", &error);
        self.tell_seats(cx, Seat::expect_no_end);
        for (pending, op) in self.pending.into_iter().zip(&self.batch.ops) {
            if let (Op::Apply(transition), Some(_)) = (op, &pending.slot) {
                cx.dispatch.ended(&transition.task, transition.epoch);
            }
            answer(pending.answer, Err(same(error, self.batch.number, self.unknown)));
        }
        cx.dispatch.slots.settled();
        // Those who asked for a claim learn that there was none by not being answered.
        cx.dispatch.forget_due();
    }
}

impl Durable {
    /// How many operations it was about.
    pub(super) const fn ops(&self) -> usize {
        self.batch.ops.len()
    }

    /// Tells of the commit, wakes who waits for ends, starts attempts, and answers.
    pub(super) fn tell(self, cx: &Arc<Context>) {
        let Self { batch, about, answers, polls, mut committed, admitted } = self;
        let ended = cx.recorder.committed(&batch, &about, &committed);
        let sequence = cx.recorder.sequence();
        let applied = std::mem::take(&mut committed.applied);
        for (op, applied) in batch.ops.iter().zip(&applied) {
            if let (Op::Cancel(cancel), Applied::CancelRequested) = (op, applied) {
                cx.dispatch.cancel(&cancel.task, CancelReason::Requested);
            }
        }
        for task in &ended {
            cx.waiters.ended(task);
        }
        cx.dispatch.claimed(cx, committed, admitted);
        for (waiting, applied) in answers.into_iter().zip(applied) {
            answer(waiting, Ok(Receipt { applied, sequence }));
        }
        told(polls);
    }
}

fn is_overdue(since: Option<Timestamp>, now: Timestamp) -> bool {
    since.is_some_and(|since| now.since(since) >= STORE_WAIT_MAX)
}

fn answer(waiting: Option<Answer>, receipt: Result<Receipt, StoreError>) {
    if let Some(waiting) = waiting {
        // Somebody who has stopped waiting is answered in vain.
        let _ = waiting.send(receipt);
    }
}

fn told(polls: Vec<Poll>) {
    for poll in polls {
        let _ = poll.send(());
    }
}

/// The same error for each of many who wait for a batch, which may be on disk all the same.
fn same(error: &StoreError, number: u64, unknown: bool) -> StoreError {
    let source = || error.to_string().into();
    match error {
        _ if unknown => StoreError::Unknown { number, source: source() },
        StoreError::Closed => StoreError::Closed,
        StoreError::Unsupported(capability) => StoreError::Unsupported(*capability),
        StoreError::NotJoined(instance) => StoreError::NotJoined(instance.clone()),
        _ => StoreError::Unavailable { source: source() },
    }
}
