//! Hands due tasks to attempts, never more than there are free slots.
//!
//! Due tasks are claimed by the commits that the writer makes anyway: each carries a claim for as
//! many tasks as there are free slots. The loop here sees to it that a claim is also made when
//! nothing else is written: when a task falls due, when a worker type is registered, and when
//! another process has changed something.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use loom_core::{
    CancelReason, Cancellation, Claim, Committed, Held, Task, TaskId, Transition, Unreadable,
    WorkerType,
};
use loom_deps::Timestamp;
use tokio::sync::{Notify, watch};

use crate::attempt::attempt;
use crate::context::Context;
use crate::record::Running;
use crate::slots::{Slot, Slots};
use crate::writer::Ended;

/// How long to wait before asking a store again that could not answer.
const WATCH_AGAIN: Duration = Duration::from_secs(1);

pub(crate) struct Dispatch {
    pub(crate) slots: Slots,
    /// Look for due tasks now.
    wake: Notify,
    /// When the next task falls due that was not due at the last claim.
    next_due: watch::Sender<Option<Timestamp>>,
    attempts: Mutex<Attempts>,
}

#[derive(Default)]
struct Attempts {
    in_flight: HashMap<TaskId, InFlight>,
    /// All attempts are told to stop, also those that have still to start.
    stopping: Option<CancelReason>,
}

struct InFlight {
    epoch: u64,
    cancellation: Cancellation,
}

/// The slots of tasks that have been claimed and are to be started.
pub(crate) struct Admitted {
    attempts: Vec<(Cancellation, Slot)>,
    unreadable: Vec<Slot>,
}

impl Dispatch {
    pub(crate) fn new(max_running: usize, running: Running) -> Self {
        Self {
            slots: Slots::new(max_running, running),
            wake: Notify::new(),
            next_due: watch::Sender::new(None),
            attempts: Mutex::default(),
        }
    }

    /// Looks for due tasks soon.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// The claim that a commit carries which also ends the attempts of these slots. What is free is
    /// promised to it until it is settled.
    pub(crate) fn claim(&self, cx: &Context, ending: &[&Slot]) -> Claim {
        let open = !cx.closing.claims_stopped() && !cx.settings.submit_only;
        let room = self.slots.promise(ending);
        let free = if open { room.free } else { 0 };
        let left = |worker_type: &WorkerType, limit: Option<usize>| {
            let left = limit.map_or(free, |limit| limit.saturating_sub(room.busy(worker_type)));
            bounded(left.min(free))
        };
        Claim {
            engine_name: cx.name.clone(),
            scope: cx.settings.scope,
            lanes: cx.registry.lanes(left),
            limit: bounded(free),
            now: cx.now(),
        }
    }

    /// Takes slots for what a commit's claim brought, before anything is told of it.
    pub(crate) fn admit(&self, committed: &Committed) -> Admitted {
        let admit = |task: &Task| {
            let cancellation = Cancellation::new();
            let in_flight = InFlight { epoch: task.epoch, cancellation: cancellation.clone() };
            let mut attempts = self.lock();
            if let Some(reason) = attempts.stopping {
                cancellation.cancel(reason);
            }
            attempts.in_flight.insert(task.id.clone(), in_flight);
            drop(attempts);
            (cancellation, self.slots.take(Some(task.worker_type.clone())))
        };
        Admitted {
            attempts: committed.claimed.iter().map(admit).collect(),
            unreadable: committed.unreadable.iter().map(|_| self.slots.take(None)).collect(),
        }
    }

    /// Takes in what a commit's claim brought: starts attempts, ends what cannot be read, passes
    /// cancels on, notes when to look again.
    pub(crate) fn claimed(&self, cx: &Arc<Context>, committed: Committed, admitted: Admitted) {
        let held: Arc<[Held]> = committed.held.into();
        for (task, (cancellation, slot)) in committed.claimed.into_iter().zip(admitted.attempts) {
            let (cx, held) = (Arc::clone(cx), Arc::clone(&held));
            tokio::spawn(attempt(cx, Arc::new(task), held, cancellation, slot));
        }
        for (unreadable, slot) in committed.unreadable.into_iter().zip(admitted.unreadable) {
            tokio::spawn(end_unreadable(Arc::clone(cx), unreadable, slot));
        }
        for (task, epoch) in committed.cancels {
            self.cancel_claim(&task, epoch, CancelReason::Requested);
        }
        let next_due = committed.next_due;
        self.next_due.send_if_modified(|known| std::mem::replace(known, next_due) != next_due);
    }

    /// An attempt's end is durable.
    pub(crate) fn ended(&self, task: &TaskId, epoch: u64) {
        let in_flight = &mut self.lock().in_flight;
        if in_flight.get(task).is_some_and(|running| running.epoch == epoch) {
            in_flight.remove(task);
        }
    }

    /// Tells the attempt at `task` to stop, if it runs here.
    pub(crate) fn cancel(&self, task: &TaskId, reason: CancelReason) {
        if let Some(running) = self.lock().in_flight.get(task) {
            running.cancellation.cancel(reason);
        }
    }

    /// Tells all attempts to stop, also those that have still to start.
    pub(crate) fn cancel_all(&self, reason: CancelReason) {
        let mut attempts = self.lock();
        attempts.stopping = Some(reason);
        for running in attempts.in_flight.values() {
            running.cancellation.cancel(reason);
        }
    }

    fn cancel_claim(&self, task: &TaskId, epoch: u64, reason: CancelReason) {
        let attempts = self.lock();
        let running = attempts.in_flight.get(task).filter(|running| running.epoch == epoch);
        if let Some(running) = running {
            running.cancellation.cancel(reason);
        }
    }

    pub(crate) fn runs(&self, task: &TaskId) -> bool {
        self.lock().in_flight.contains_key(task)
    }

    pub(crate) fn running(&self) -> Vec<TaskId> {
        self.lock().in_flight.keys().cloned().collect()
    }

    /// Returns when all attempts have ended, those included that wait and so have no slot.
    pub(crate) async fn all_ended(&self) {
        self.slots.until(|| self.slots.taken() == 0 && self.lock().in_flight.is_empty()).await;
    }

    /// Nothing is known of what falls due: no claim could be made.
    pub(crate) fn forget_due(&self) {
        self.next_due.send_replace(None);
    }

    fn lock(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bounded(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Looks for due tasks whenever there may be some, until the engine has closed.
pub(crate) async fn run(cx: Arc<Context>) {
    let mut next_due = cx.dispatch.next_due.subscribe();
    let mut look_at = None;
    loop {
        let due = falls_due(&cx, &mut next_due);
        let changed = changed(&cx);
        tokio::select! {
            biased;
            () = cx.closing.left() => return,
            () = cx.dispatch.wake.notified() => {}
            () = due => {}
            () = cx.passes(look_at) => look_at = look_elsewhere(&cx).await,
            () = changed => look_at = look_elsewhere(&cx).await,
        }
        if !cx.writer.poll().await {
            cx.sleep(WATCH_AGAIN).await;
        }
    }
}

/// Looks whether what is waited for has ended elsewhere. When to look again, if that failed.
async fn look_elsewhere(cx: &Context) -> Option<Timestamp> {
    let seen = cx.waiters.look_elsewhere(cx).await;
    (!seen).then(|| cx.now().saturating_add(WATCH_AGAIN))
}

/// Returns when the next task falls due; at once if it has done so since the last claim.
async fn falls_due(cx: &Context, next_due: &mut watch::Receiver<Option<Timestamp>>) {
    loop {
        let due = *next_due.borrow_and_update();
        tokio::select! {
            biased;
            changed = next_due.changed() => if changed.is_err() { return },
            () = cx.passes(due) => return,
        }
    }
}

async fn changed(cx: &Context) {
    if cx.store.changed().await.is_err() {
        cx.sleep(WATCH_AGAIN).await;
    }
}

async fn end_unreadable(cx: Arc<Context>, task: Unreadable, slot: Slot) {
    let transition = Transition::unreadable(&task, cx.now());
    cx.writer.end(Ended { task: None, transition, hold: None, slot }).await;
}
