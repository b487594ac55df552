//! The slot of one attempt, which it gives back while it waits for other tasks.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use loom_core::{CancelReason, Cancellation, Task, TaskId, TaskWaiter, WaitError};

use crate::context::Context;
use crate::progress::Reports;
use crate::slots::{Slot, Ticket};
use crate::waiters::seated_end_of;

/// How often an attempt that waits while its engine closes looks whether it does so in vain.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What an attempt waits with.
pub(crate) struct Seat {
    me: Weak<Self>,
    cx: Arc<Context>,
    task: Arc<Task>,
    cancellation: Cancellation,
    reports: Arc<Reports>,
    /// How many attempts of the type may run at once, if it has a limit of its own.
    limit: Option<usize>,
    held: Mutex<Held>,
}

struct Held {
    slot: Option<Slot>,
    /// Where the attempt stands in the queue for a slot, once all is over that it waits for, or will
    /// be by the commit under way.
    ticket: Option<Arc<Ticket>>,
    /// Waits under way. As long as there is one, the attempt has no slot.
    waits: usize,
    /// Tasks whose end has not been seen yet, of all waits.
    outstanding: BTreeMap<TaskId, Awaited>,
    /// How many of them no commit is about to end.
    unexpected: usize,
    /// The attempt is over: a context that outlives it moves no slots.
    over: bool,
}

/// What is known of a task that is waited for.
#[derive(Default)]
struct Awaited {
    /// How many waits want its end.
    waits: usize,
    /// A commit under way, or made and not yet told of, ends it.
    is_expected: bool,
}

impl Seat {
    pub(crate) fn new(
        cx: Arc<Context>,
        task: Arc<Task>,
        cancellation: Cancellation,
        reports: Arc<Reports>,
        limit: Option<usize>,
        slot: Slot,
    ) -> Arc<Self> {
        let slot = Some(slot);
        let outstanding = BTreeMap::new();
        let held = Held { slot, ticket: None, waits: 0, outstanding, unexpected: 0, over: false };
        let held = Mutex::new(held);
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            cx,
            task,
            cancellation,
            reports,
            limit,
            held,
        })
    }

    /// A task that the attempt waits for ends by the commit in the making. If it is the last one,
    /// the attempt queues already, so that the commit's claim leaves it a slot.
    pub(crate) fn expect_end(&self, task: &TaskId) {
        let mut held = self.lock();
        let awaited = held.outstanding.get_mut(task);
        if awaited.is_some_and(|awaited| !std::mem::replace(&mut awaited.is_expected, true)) {
            held.unexpected = held.unexpected.saturating_sub(1);
        }
        let is_last = !held.outstanding.is_empty() && held.unexpected == 0;
        if is_last && !held.over && held.slot.is_none() {
            self.queue(&mut held);
        }
    }

    /// The task has not ended after all.
    pub(crate) fn expect_no_end(&self, task: &TaskId) {
        let mut held = self.lock();
        let awaited = held.outstanding.get_mut(task);
        if awaited.is_some_and(|awaited| std::mem::take(&mut awaited.is_expected)) {
            held.unexpected += 1;
        }
        if held.ticket.is_some() {
            self.unqueue(&mut held);
            drop(held);
            self.cx.dispatch.wake();
        }
    }

    /// The attempt is over; its slot is free once the answer is dropped.
    pub(crate) fn vacate(&self) -> Slot {
        let mut held = self.lock();
        held.over = true;
        self.unqueue(&mut held);
        held.slot.take().unwrap_or_else(|| self.slot())
    }

    async fn ends_of(&self, tasks: &[TaskId], leave: impl Fn()) -> Result<Vec<Task>, WaitError> {
        let me = self.me.upgrade();
        let ends = tasks.iter().map(|task| async {
            let _outstanding = Outstanding::new(self, task);
            seated_end_of(&self.cx, task, me.as_ref(), &leave).await
        });
        Ok(try_join_all(ends).await?)
    }

    /// Returns when the attempt has a slot again, or waits elsewhere still and so wants none.
    async fn back(&self) {
        while let Some(ticket) = self.standing() {
            ticket.called().await;
            let mut held = self.lock();
            if let Some(slot) = ticket.granted() {
                held.slot = Some(slot);
                held.ticket = None;
                return;
            }
        }
    }

    /// Where the attempt stands in the queue for a slot, unless it has one or waits elsewhere.
    fn standing(&self) -> Option<Arc<Ticket>> {
        let mut held = self.lock();
        if held.over || held.waits > 1 || held.slot.is_some() {
            return None;
        }
        Some(self.queue(&mut held))
    }

    fn queue(&self, held: &mut Held) -> Arc<Ticket> {
        let queue = || self.cx.dispatch.slots.queue(self.task.worker_type.clone(), self.limit);
        Arc::clone(held.ticket.get_or_insert_with(queue))
    }

    /// Stops the attempt if what it waits for will not run before the engine has closed: the two
    /// would wait for each other.
    async fn give_up_with_the_engine(&self, tasks: &[TaskId]) -> Infallible {
        self.cx.closing.claims_over().await;
        loop {
            for task in tasks {
                if self.is_left_behind(task).await {
                    self.cancellation.cancel(CancelReason::Shutdown);
                }
            }
            self.cx.sleep(LOOK_AGAIN).await;
        }
    }

    /// Whether a task waits for an attempt that nobody alive will make, as far as can be told.
    async fn is_left_behind(&self, task: &TaskId) -> bool {
        let cx = &self.cx;
        let Ok(task) = cx.task(task).await else { return false };
        if !task.status.is_waiting() || task.engine_name != cx.name {
            return false;
        }
        let Ok(membership) = cx.membership().await else { return false };
        task.pinned_to.as_ref() == Some(&cx.instance)
            || matches!(membership.elsewhere(&task.worker_type).await, Ok(false))
    }

    fn unqueue(&self, held: &mut Held) {
        if let Some(ticket) = held.ticket.take() {
            self.cx.dispatch.slots.withdraw(&ticket);
        }
    }

    fn slot(&self) -> Slot {
        self.cx.dispatch.slots.take(Some(self.task.worker_type.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TaskWaiter for Seat {
    async fn wait(&self, tasks: &[TaskId]) -> Result<Vec<Task>, WaitError> {
        if tasks.contains(&self.task.id) {
            return Err(WaitError::Itself(self.task.id.clone()));
        }
        // What has ended already costs no slot.
        let absence = OnceLock::new();
        let leave = || {
            absence.get_or_init(|| Absence::new(self));
        };
        let waited = async {
            let ended = self.ends_of(tasks, leave).await;
            if absence.get().is_some() {
                self.back().await;
            }
            ended
        };
        tokio::select! {
            biased;
            () = self.cancellation.cancelled() => {
                let reason = self.cancellation.reason();
                Err(WaitError::Stopped(reason.unwrap_or(CancelReason::Requested)))
            }
            ended = waited => ended,
            never = self.give_up_with_the_engine(tasks) => match never {},
        }
    }
}

/// One wait under way.
struct Absence<'a>(&'a Seat);

impl<'a> Absence<'a> {
    fn new(seat: &'a Seat) -> Self {
        seat.reports.pause();
        let mut held = seat.lock();
        held.waits += 1;
        seat.unqueue(&mut held);
        drop(held.slot.take());
        drop(held);
        seat.cx.dispatch.wake();
        Self(seat)
    }
}

impl Drop for Absence<'_> {
    /// An attempt that goes on without having waited for its turn has its slot all the same.
    fn drop(&mut self) {
        let seat = self.0;
        let mut held = seat.lock();
        held.waits = held.waits.saturating_sub(1);
        if held.waits == 0 && !held.over && held.slot.is_none() {
            seat.unqueue(&mut held);
            held.slot = Some(seat.slot());
        }
        drop(held);
        seat.reports.resume();
    }
}

/// One task whose end has not been seen yet.
struct Outstanding<'a> {
    seat: &'a Seat,
    task: &'a TaskId,
}

impl<'a> Outstanding<'a> {
    fn new(seat: &'a Seat, task: &'a TaskId) -> Self {
        let mut held = seat.lock();
        let awaited = held.outstanding.entry(task.clone()).or_default();
        awaited.waits += 1;
        let is_new = awaited.waits == 1;
        held.unexpected += usize::from(is_new);
        Self { seat, task }
    }
}

impl Drop for Outstanding<'_> {
    fn drop(&mut self) {
        let mut held = self.seat.lock();
        let Some(awaited) = held.outstanding.get_mut(self.task) else { return };
        awaited.waits = awaited.waits.saturating_sub(1);
        let (over, was_unexpected) = (awaited.waits == 0, !awaited.is_expected);
        if over {
            held.outstanding.remove(self.task);
            held.unexpected = held.unexpected.saturating_sub(usize::from(was_unexpected));
        }
    }
}
